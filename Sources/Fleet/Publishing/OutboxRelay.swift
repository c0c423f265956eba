internal import AMQP
internal import CoreMetrics
internal import Jobs
internal import Postgres

/// Publishes what lies in the outbox, in order, and removes what the broker has confirmed.
///
/// If the relay dies between confirm and commit, the same messages go out again under the same `message_id`.
struct OutboxRelay {
    /// Messages of one round.
    private static let batch: Int64 = 500

    private let publisher: Publisher
    /// Who is told, by exchange, that messages are out.
    private let confirmations: [Outbox.Confirmation]
    private let leases: Leases
    private let lag = Gauge(label: "tenantry_outbox_lag_seconds")
    private let waiting = Gauge(label: "tenantry_outbox_messages")

    init(_ publisher: Publisher, confirmations: [Outbox.Confirmation], _ leases: Leases) {
        self.leases = leases
        self.publisher = publisher
        self.confirmations = confirmations
    }

    var duty: Duty {
        Duty(name: "outbox relay", intervalSeconds: DutyRunner.turnSeconds, needsBroker: true) { database in
            while try relay(from: &database) {}
        }
    }

    /// One round in one transaction.
    ///
    /// - Returns: whether there may be more.
    private func relay(from database: inout Postgres.Connection) throws -> Bool {
        let entries = try database.transaction { database in
            let entries = try database.query(SQL.next, Self.batch).decode(Waiting.init)
            if !entries.isEmpty { try publish(entries, in: &database) }
            return entries
        }
        lag.record(entries.first?.ageSeconds ?? 0)
        waiting.record(entries.count)
        return entries.count == Int(Self.batch)
    }

    private func publish(_ entries: [Waiting], in database: inout Transaction) throws {
        // The process may have been frozen since it asked: the broker knows no fence.
        guard leases.isHeld(Leases.leader) else { throw Leases.Over() }
        let refused = try publisher.send(entries.map(\.message)).refused
        // A subscriber's full queue refuses for its own; the others have their copy, and know it by its id when it comes again.
        if !refused.isEmpty { _ = try database.query(SQL.postpone, refused.sorted().map { entries[$0].id }) }
        let published = entries.indices.filter { !refused.contains($0) }.map { entries[$0] }
        _ = try database.query(SQL.remove, published.map(\.id))
        for confirmation in confirmations {
            let ids = published.filter { $0.exchange == confirmation.exchange }.map(\.messageID)
            if !ids.isEmpty { try confirmation.note(ids, &database) }
        }
    }

    /// A row of the outbox.
    private struct Waiting {
        let id: Int64
        let exchange: String
        let routingKey: String
        let messageID: String
        let type: String
        let contentType: String
        let body: String
        let ageSeconds: Double

        var message: Publisher.OutgoingMessage {
            var properties = Properties(contentType: contentType)
            properties.messageID = messageID
            properties.type = type
            return Publisher.OutgoingMessage(
                exchange: exchange, routingKey: routingKey, properties: properties, body: .bytes(Array(body.utf8)))
        }
    }

    enum SQL {
        static let next: Statement = """
            select id, exchange, routing_key, message_id, type, content_type, body,
                   extract(epoch from clock_timestamp() - created_at)::float8
            from tenantry.outbox where next_at <= now() order by id limit $1 for update
            """
        static let postpone: Statement = "update tenantry.outbox set next_at = now() + interval '10 seconds' where id = any($1)"
        static let remove: Statement = "delete from tenantry.outbox where id = any($1)"
    }
}
