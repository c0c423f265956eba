public import Contract
internal import Crypto
public import Postgres

/// Messages that leave after their transaction's commit, once and confirmed: written with the effect, published by the leader.
public enum Outbox {
    public struct Entry: Sendable {
        public var exchange: String
        public var routingKey: String
        public var messageID: String
        public var type: String
        public var contentType: String
        public var body: String
        /// The alert that is marked as published when this has gone out.
        public var alert: String?

        public init(
            exchange: String, routingKey: String, messageID: String, type: String, contentType: String = "application/json",
            body: String,
            alert: String? = nil
        ) {
            self.exchange = exchange
            self.routingKey = routingKey
            self.messageID = messageID
            self.type = type
            self.contentType = contentType
            self.body = body
            self.alert = alert
        }

        /// A life-cycle event on `tenantry.events`, under the routing key `<what>.<subject…>`. Its message id is `<what>/<subject…>/<id>`, so
        /// that neither another event of the same job nor the job's outcome has the same.
        ///
        /// - Parameter id: of what happened: the job's id, mostly.
        public static func event(_ what: LifecycleEvent, subject: [String], id: String, _ data: [String: JSONValue]) -> Entry {
            var body = data
            body["event"] = .string(what.rawValue)
            return Entry(
                exchange: Topology.eventsExchange, routingKey: ([what.rawValue] + subject).joined(separator: "."),
                messageID: messageID(of: what, subject, id),
                type: what.rawValue,
                body: String(decoding: JSONValue.object(body).serialised(), as: UTF8.self))
        }

        private static func messageID(of what: LifecycleEvent, _ subject: [String], _ id: String) -> String {
            let whole = ([what.rawValue] + subject + [id]).joined(separator: "/")
            // A property holds 255 bytes; an id that came in one may have grown by what was put before it.
            guard whole.utf8.count > 255 else { return whole }
            let digest = SHA256.hash(data: Array(whole.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            return "\(what.rawValue)/sha256:\(digest.joined())"
        }
    }

    /// Puts messages into the outbox, in the caller's transaction.
    public static func append(_ entries: [Entry], on database: inout Postgres.Connection) throws(PostgresError) {
        guard !entries.isEmpty else { return }
        var parameters = Parameters()
        parameters.append(entries.map(\.exchange))
        parameters.append(entries.map(\.routingKey))
        parameters.append(entries.map(\.messageID))
        parameters.append(entries.map(\.type))
        parameters.append(entries.map(\.contentType))
        parameters.append(entries.map(\.body))
        var alerts = BinaryArray(.text)
        for entry in entries {
            if let alert = entry.alert { alerts.append(alert) } else { alerts.appendNull() }
        }
        parameters.append(alerts)
        _ = try database.query(SQL.append, parameters)
    }

    enum SQL {
        static let append: Statement = """
            insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body, alert)
            select e, k, m, t, c, b, a::uuid
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) as x (e, k, m, t, c, b, a)
            """
    }
}
