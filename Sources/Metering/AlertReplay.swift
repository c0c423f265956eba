internal import Jobs
public import Postgres

/// Publishes alerts once more.
public enum AlertReplay {
    /// Alerts of one transaction.
    private static let batch: Int64 = 500

    /// Puts the alerts created at or after `since` into the outbox once more, oldest first, under the ids that they had.
    ///
    /// - Parameter account: this one's alone.
    /// - Returns: how many.
    public static func run(since: Timestamp, account: String?, on database: inout Connection) throws(PostgresError) -> Int {
        var count = 0
        var last = Position(createdAt: since, percent: .min, id: "00000000-0000-0000-0000-000000000000")
        while true {
            let from = last
            let batch = try database.transaction { (database: inout Transaction) throws(PostgresError) in
                let alerts = try database.query(SQL.next, from.createdAt, from.percent, from.id, account, Self.batch)
                    .decode(WrittenAlert.init)
                try Outbox.append(alerts.map(\.message), on: &database)
                return alerts
            }
            guard let end = batch.last else { return count }
            count += batch.count
            last = Position(createdAt: end.createdAt, percent: end.percent, id: end.id)
        }
    }

    /// Where the last batch ended.
    private struct Position {
        let createdAt: Timestamp
        let percent: Int64
        let id: String
    }

    /// A row of `SQL.next`.
    private struct WrittenAlert {
        let id: String
        let state: String
        let routingKey: String
        let event: String
        let createdAt: Timestamp
        let percent: Int64

        var message: OutboxMessage { .alert(id: id, state: state, routingKey: routingKey, event: event) }
    }

    enum SQL {
        static let next: Statement = """
            select id::text, state, routing_key, event, created_at, threshold_percent::int8
            from tenantry.alerts
            where (created_at, threshold_percent, id) > ($1, $2, $3::text::uuid) and ($4::text is null or account = $4)
            order by created_at, threshold_percent, id limit $5
            """
    }
}
