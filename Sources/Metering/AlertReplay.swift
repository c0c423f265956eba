internal import Contract
public import Jobs
public import Postgres

/// Alerts that have been published, and what is published once more.
public enum AlertReplay {
    /// Alerts of one transaction.
    private static let batch: Int64 = 500

    /// What notes in an alert's row that it is out.
    public static let confirmation = Outbox.Confirmation(exchange: Topology.alertsExchange) { ids, database in
        try Alerts.markPublished(ids, on: &database)
    }

    /// Puts the alerts created at or after `since` into the outbox once more, oldest first, under the ids that they had.
    ///
    /// - Parameter account: this one's alone.
    /// - Returns: how many.
    public static func run(since: Timestamp, account: String?, on database: inout Connection) throws(PostgresError) -> Int {
        var count = 0
        var last = Position(createdAt: since, percent: .min, id: "00000000-0000-0000-0000-000000000000")
        while true {
            let batch = try database.transaction { (database: inout Transaction) throws(PostgresError) in
                let rows = try database.query(SQL.replay, last.createdAt, last.percent, last.id, account, Self.batch)
                let alerts = rows.decode((String, String, String, String, Timestamp, Int64).self)
                let entries = alerts.map { Alerts.message(id: $0.0, state: $0.1, routingKey: $0.2, body: $0.3) }
                try Outbox.append(entries, on: &database)
                return alerts
            }
            guard let end = batch.last else { return count }
            count += batch.count
            last = Position(createdAt: end.4, percent: end.5, id: end.0)
        }
    }

    /// Where the last batch ended.
    private struct Position {
        let createdAt: Timestamp
        let percent: Int64
        let id: String
    }

    enum SQL {
        static let replay: Statement = """
            select id::text, state, routing_key, event, created_at, threshold_percent::int8
            from tenantry.alerts
            where (created_at, threshold_percent, id) > ($1, $2, $3::text::uuid) and ($4::text is null or account = $4)
            order by created_at, threshold_percent, id limit $5
            """
    }
}
