internal import AMQP
internal import CoreMetrics
internal import Postgres

/// Publishes what lies in the outbox, in order, and removes what the broker has confirmed.
///
/// If the relay dies between confirm and commit, the same messages go out again under the same `message_id`.
struct OutboxRelay {
    /// Messages of one round.
    private static let batch: Int64 = 500

    private let lag = Gauge(label: "tenantry_outbox_lag_seconds")
    private let waiting = Gauge(label: "tenantry_outbox_messages")

    /// - Returns: whether there may be more.
    func relay(from database: inout Postgres.Connection, to publisher: Publisher) throws -> Bool {
        var parameters = Parameters()
        parameters.append(Self.batch)
        try database.begin()
        let rows: Rows
        do {
            rows = try database.query(SQL.next, parameters)
            if rows.count > 0 { try publish(rows, from: &database, to: publisher) }
            try database.commit()
        } catch {
            if database.isUsable { try database.rollback() }
            throw error
        }
        lag.record(rows.count > 0 ? rows.double(0, 8) : 0)
        waiting.record(rows.count)
        return rows.count == Int(Self.batch)
    }

    private func publish(_ rows: Rows, from database: inout Postgres.Connection, to publisher: Publisher) throws {
        var ids: [Int64] = []
        var alerts: [String] = []
        var messages: [Publisher.Message] = []
        for row in 0..<rows.count {
            ids.append(rows.int(row, 0))
            var properties = Properties(contentType: rows.text(row, 5))
            properties.messageID = rows.text(row, 3)
            properties.type = rows.text(row, 4)
            messages.append(
                Publisher.Message(
                    exchange: rows.text(row, 1), routingKey: rows.text(row, 2), properties: properties,
                    body: .bytes(Array(rows.text(row, 6).utf8))))
            if let alert = rows.optionalText(row, 7) { alerts.append(alert) }
        }
        let refused = try publisher.send(messages).refused
        // A subscriber's full queue refuses for its own; the others have their copy, and know it by its id when it comes again.
        if !refused.isEmpty {
            var later = Parameters()
            later.append(refused.sorted().map { ids[$0] })
            _ = try database.query(SQL.postpone, later)
        }
        var parameters = Parameters()
        parameters.append(ids.indices.filter { !refused.contains($0) }.map { ids[$0] })
        _ = try database.query(SQL.remove, parameters)
        alerts.removeAll { alert in refused.contains { rows.optionalText($0, 7) == alert } }
        guard !alerts.isEmpty else { return }
        var published = Parameters()
        published.append(alerts)
        _ = try database.query(SQL.markPublished, published)
    }

    enum SQL {
        static let next: Statement = """
            select id, exchange, routing_key, message_id, type, content_type, body, alert::text,
                   extract(epoch from clock_timestamp() - created_at)::float8
            from tenantry.outbox where next_at <= now() order by id limit $1 for update
            """
        static let postpone: Statement = "update tenantry.outbox set next_at = now() + interval '10 seconds' where id = any($1)"
        static let remove: Statement = "delete from tenantry.outbox where id = any($1)"
        static let markPublished: Statement = """
            update tenantry.alerts set published_at = coalesce(published_at, clock_timestamp()) where id = any($1::text[]::uuid[])
            """
    }
}
