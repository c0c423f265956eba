public import Contract
internal import Crypto
public import Postgres

/// Messages that are published after the commit of the transaction that wrote them. The leader publishes each until the broker confirms it, so a
/// message may come twice, under the same id.
public enum Outbox {
    /// Puts messages into the outbox, in the caller's transaction.
    public static func append(_ messages: [OutboxMessage], on database: inout Transaction) throws(PostgresError) {
        guard !messages.isEmpty else { return }
        _ = try database.query(
            SQL.append, messages.map(\.exchange), messages.map(\.routingKey), messages.map(\.messageID), messages.map(\.type),
            messages.map(\.contentType), messages.map(\.body))
    }

    /// What is to be done when the broker has confirmed messages of an exchange, in the transaction that removes them from the outbox.
    public struct Confirmation: Sendable {
        public let exchange: String
        /// Is given the messages' ids.
        public let note: @Sendable ([String], inout Transaction) throws -> Void

        public init(exchange: String, note: @escaping @Sendable ([String], inout Transaction) throws -> Void) {
            self.exchange = exchange
            self.note = note
        }
    }

    enum SQL {
        static let append: Statement = """
            insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body)
            select e, k, m, t, c, b
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as x (e, k, m, t, c, b)
            """
    }
}

/// A message that waits in the outbox.
public struct OutboxMessage: Sendable {
    public var exchange: String
    public var routingKey: String
    public var messageID: String
    public var type: String
    public var contentType: String
    public var body: String

    public init(
        exchange: String, routingKey: String, messageID: String, type: String, contentType: String = "application/json",
        body: String
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.messageID = messageID
        self.type = type
        self.contentType = contentType
        self.body = body
    }

    /// A life-cycle event on `tenantry.events`, under the routing key `<what>.<subject…>`. Its message id is `<what>/<subject…>/<id>`, so
    /// that no other event of the same job, and not the job's outcome, has the same id.
    ///
    /// - Parameter id: what tells this event from others of the same name and subject; mostly the job's id.
    public static func event(_ what: LifecycleEvent, subject: [String], id: String, _ data: [String: JSONValue]) -> OutboxMessage
    {
        var body = data
        body["event"] = .string(what.rawValue)
        return OutboxMessage(
            exchange: Topology.eventsExchange, routingKey: ([what.rawValue] + subject).joined(separator: "."),
            messageID: messageID(of: what, subject, id),
            type: what.rawValue,
            body: String(decoding: JSONValue.object(body).serialised(), as: UTF8.self))
    }

    private static func messageID(of what: LifecycleEvent, _ subject: [String], _ id: String) -> String {
        let whole = ([what.rawValue] + subject + [id]).joined(separator: "/")
        // An AMQP property holds at most 255 bytes, and a job's id may be that long already.
        guard whole.utf8.count > 255 else { return whole }
        return "\(what.rawValue)/sha256:\(SHA256.hash(data: Array(whole.utf8)).hexadecimal)"
    }
}
