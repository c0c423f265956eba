internal import Contract
public import Jobs
internal import Postgres

/// The leader's duty that asks for `usage.aggregate` of every account that was used since its last one, or since its last recount if that was
/// a day ago.
public enum AggregationRequests {
    /// - Parameter seconds: how old an account's last aggregation has to be.
    public static func duty(every seconds: Double) -> LeaderDuty {
        LeaderDuty(
            "aggregation requests", intervalSeconds: min(seconds, 60),
            sending: { database in
                try database.query(SQL.due, seconds).decode { (account: String, aggregatedAt: Int64) in
                    // The same id until the account has been aggregated.
                    FleetJob(.usageAggregate, id: "fleet-\(account)-\(aggregatedAt)", payload: ["account": .string(account)])
                }
            })
    }

    enum SQL {
        static let due: Statement = """
            select a.slug, case when a.aggregated_at = '-infinity' then 0 else extract(epoch from a.aggregated_at) * 1000000 end::int8
            from tenantry.accounts a
            where a.aggregated_at < now() - $1 * interval '1 second'
              and exists (
                  select from tenantry.account_usage u where u.account = a.slug and u.changed_at >
                      case when a.recounted_at < now() - interval '24 hours' then a.recounted_at else a.aggregated_at end)
            order by a.aggregated_at limit 1000
            """
    }
}
