public import Contract
internal import Crypto
public import Postgres

/// Messages that are published after the commit of the transaction that wrote them. The leader publishes each until the broker confirms it, so a
/// message may come twice, under the same id. What a webhook is to be called with waits for it beside them, from the same transaction on.
public enum Outbox {
    /// Puts messages into the outbox, and a delivery of each for every webhook that it is for, in the caller's transaction.
    public static func append(_ messages: [OutboxMessage], on database: inout Transaction) throws(PostgresError) {
        guard !messages.isEmpty else { return }
        _ = try database.query(
            SQL.append, messages.map(\.exchange), messages.map(\.routingKey), messages.map(\.messageID), messages.map(\.type),
            messages.map(\.contentType), messages.map(\.body), messages.map(\.eventID), messages.map(\.name),
            messages.map(\.account),
            messages.map(\.tenant))
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
        /// A tenant's webhook gets what is its own, an account's what is the account's and its tenants'. One that is disabled gets nothing now: its
        /// deliveries wait as failed. An event that comes again, as a replayed alert does, has its deliveries already.
        static let append: Statement = """
            with message as (
                select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                    $10::text[]) with ordinality
                    as m (exchange, routing_key, message_id, type, content_type, body, event, name, account, tenant, n)
            ), queued as (
                insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body)
                select exchange, routing_key, message_id, type, content_type, body from message order by n
            ), wanted as (
                select m.*, w.id as webhook, w.state from message m
                join tenantry.webhooks w
                    on w.account = m.account and (w.tenant is null or w.tenant = m.tenant) and m.name || '.' ~ w.expression
            ), event as (
                insert into tenantry.webhook_events (id, account, tenant, name, content_type, body)
                select distinct on (event) event::uuid, account, tenant, name, content_type, body from wanted
                on conflict do nothing
            )
            insert into tenantry.webhook_deliveries (webhook, event, state, error)
            select webhook, event::uuid, case state when 'enabled' then 'pending' else 'failed' end,
                   case state when 'enabled' then null else 'the webhook was disabled' end
            from wanted order by n
            on conflict do nothing
            """
    }
}

/// A message that waits in the outbox: an event, of an account or of one of its tenants.
public struct OutboxMessage: Sendable {
    public let exchange: String
    public let routingKey: String
    public let messageID: String
    public let type: String
    public let contentType: String
    public let body: String
    /// As ``EventName`` has it.
    public let name: String
    public let account: String
    public let tenant: String?

    /// What webhooks know the event by: a UUID, the same for the same message.
    var eventID: String { EventID.of(messageID) }

    /// An alert on `tenantry.alerts`: always the same message, the first time and again.
    ///
    /// - Parameters:
    ///   - id: a UUID.
    ///   - routingKey: that of ``AlertEvent``.
    ///   - event: the event's JSON.
    public static func alert(id: String, state: String, routingKey: String, event: String) -> OutboxMessage {
        let words = routingKey.split(separator: ".", omittingEmptySubsequences: false)
        precondition(words.count == 5, "\(routingKey) is no alert's routing key")
        return OutboxMessage(
            exchange: Topology.alertsExchange, routingKey: routingKey, messageID: id, type: "tenantry.limit.\(state)",
            contentType: AlertEvent.contentType, body: event, name: words[..<3].joined(separator: "."), account: String(words[3]),
            tenant: words[4] == "_pool" ? nil : String(words[4]))
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
            messageID: messageID(of: what, subject, id), type: what.rawValue, contentType: "application/json",
            body: String(decoding: JSONValue.object(body).serialised(), as: UTF8.self), name: what.rawValue, account: subject[0],
            tenant: subject.count > 1 ? subject[1] : nil)
    }

    private static func messageID(of what: LifecycleEvent, _ subject: [String], _ id: String) -> String {
        let whole = ([what.rawValue] + subject + [id]).joined(separator: "/")
        // An AMQP property holds at most 255 bytes, and a job's id may be that long already.
        guard whole.utf8.count > 255 else { return whole }
        return "\(what.rawValue)/sha256:\(SHA256.hash(data: Array(whole.utf8)).hexadecimal)"
    }
}

/// The ids of events as webhooks know them.
public enum EventID {
    /// A UUID is one already; of another message's id, the first half of its SHA-256 in the form of one.
    public static func of(_ messageID: String) -> String {
        guard !UUIDText.isValid(messageID) else { return messageID }
        let digits = Array(SHA256.hash(data: Array(messageID.utf8)).prefix(16).hexadecimal)
        let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        return parts.joined(separator: "-")
    }
}
