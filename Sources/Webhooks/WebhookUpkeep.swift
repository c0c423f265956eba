internal import CoreMetrics
public import Jobs
internal import Postgres

/// The leader's duty about the log of deliveries: what is old goes, and what waits is counted.
public enum WebhookUpkeep {
    private static let intervalSeconds = 60.0
    /// Events of one transaction.
    private static let batch: Int64 = 5_000

    /// - Parameter days: how long events and their deliveries are kept.
    public static func duty(retentionDays days: Int64) -> LeaderDuty {
        let pending = Gauge(label: "tenantry_webhook_deliveries_pending")
        let oldest = Gauge(label: "tenantry_webhook_oldest_seconds")
        let disabled = Gauge(label: "tenantry_webhooks_disabled")
        let perform: @Sendable (inout Connection) throws -> Void = { database in
            while try remove(SQL.removeOld, days, on: &database) == batch {}
            while try remove(SQL.removePurged, on: &database) == batch {}
            let waiting = try database.query(SQL.waiting).decode((Int64, Double, Int64).self)[0]
            pending.record(waiting.0)
            oldest.record(waiting.1)
            disabled.record(waiting.2)
        }
        return LeaderDuty("webhooks", intervalSeconds: intervalSeconds, isBackground: true, perform: perform)
    }

    private static func remove(
        _ statement: Statement, _ days: Int64? = nil, on database: inout Connection
    ) throws(PostgresError) -> Int64 {
        try database.transaction { (database: inout Transaction) throws(PostgresError) in
            let rows =
                if let days { try database.query(statement, batch, days) } else { try database.query(statement, batch) }
            return Int64(rows.count)
        }
    }

    enum SQL {
        static let removeOld: Statement = """
            delete from tenantry.webhook_events where id in (
                select id from tenantry.webhook_events where created_at < now() - make_interval(days => $2::int) limit $1
            )
            returning 1
            """
        /// What was still to be sent when its tenant was purged, and has been sent since.
        static let removePurged: Statement = """
            delete from tenantry.webhook_events where id in (
                select e.id from tenantry.webhook_events e join tenantry.purges p on p.tenant = e.tenant
                where e.created_at < p.purged_at and not exists (
                    select from tenantry.webhook_deliveries d where d.event = e.id and d.state = 'pending'
                ) limit $1
            )
            returning 1
            """
        /// How many deliveries wait, for how long the oldest first attempt has, and how many webhooks are disabled.
        static let waiting: Statement = """
            select (select count(*) from tenantry.webhook_deliveries where state = 'pending'),
                   coalesce((
                       select extract(epoch from now() - min(created_at))::float8 from tenantry.webhook_deliveries
                       where state = 'pending' and attempt = 0
                   ), 0),
                   (select count(*) from tenantry.webhooks where state = 'disabled')
            """
    }
}
