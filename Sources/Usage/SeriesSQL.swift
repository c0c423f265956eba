internal import Contract
internal import Metering
internal import Postgres

/// The statements of ``UsageReport`` that read how usage is spread over its buckets. A bucket is a number, from 0.
enum SeriesSQL {
    /// One tenant's hours: each metric and bucket with its value, and with what of it is rolled up. `$1` is the hour from which on the raw rows are
    /// counted, `$2` the end of the last bucket, `$3` the zone, `$4` the tenant, `$5` where the buckets begin.
    static let hours = TenantSQL(series(of: ("value", spans)))
    /// The same without users, who don't add up to days.
    static let daysWithoutUsers = TenantSQL(series(of: ("value", spans + " and metric <> 'active_users'")))
    /// With the users of each day; `$6` is the day from which on they are counted.
    static let days = TenantSQL(
        """
        \(series(of: ("value", spans + " and metric <> 'active_users'")))
        union all
        select 'active_users', width_bucket(day, $5)::int8 - 1, coalesce(sum(active_users) filter (where is_live), 0)::int8,
               coalesce(sum(active_users) filter (where is_rolled_up), 0)::int8
        from (
            select day, active_users, day < $6 as is_live, true as is_rolled_up from {schema}.usage_daily where day >= ($5)[1] and day < $2
            union all
            select day, active_users, true, false from (\(RecountSQL.usersOfDays(from: "$6::timestamptz"))) fresh
        ) users group by 2
        """)

    private static let spans = "hour >= ($5::timestamptz[])[1] and hour < $2"

    private static func series(of part: (column: String, condition: String)) -> String {
        """
        with \(RecountSQL.counted), parts as (
            select hour, metric, value, hour < $1 as is_live, true as is_rolled_up from {schema}.usage_hourly
            union all
            select hour, metric, value, true, false from counted
        )
        select metric, width_bucket(hour, $5::timestamptz[])::int8 - 1, coalesce(sum(value) filter (where is_live), 0)::int8,
               coalesce(sum(value) filter (where is_rolled_up), 0)::int8
        from parts where \(part.condition) group by 1, 2
        """
    }

    /// What is rolled up of an account's tenants together: metric, bucket, value. `$2` are the beginnings, `$3` is the end.
    static let pool: Statement = """
        select metric, width_bucket(hour, $2::timestamptz[])::int8 - 1, sum(value)::int8 from tenantry.account_usage_hourly
        where account = $1 and hour >= ($2::timestamptz[])[1] and hour < $3 group by 1, 2
        """
    static let poolUsers: Statement = """
        select 'active_users', width_bucket(day, $2::timestamptz[])::int8 - 1, sum(active_users)::int8 from tenantry.account_usage_daily
        where account = $1 and day >= ($2::timestamptz[])[1] and day < $3 group by 2
        """

    /// Billing periods of the tenants `$4`, by their counters: tenant, metric, bucket, value. Users of a month are those that are billed.
    static let tenantMonths = months(
        "tenantry.tenant_usage u where u.account = $1 and u.tenant = any($4)", subject: "u.tenant")
    /// The same of the pool, with what is not swept up yet.
    static let poolMonths = months(
        """
        (
            select account, period_start, \(Metric.flows.columns) from tenantry.account_usage where account = $1
            union all
            select account, period_start, \(Metric.flows.columns) from tenantry.usage_deltas where account = $1
        ) u where true
        """, subject: "''")

    private static func months(_ counters: String, subject: String) -> Statement {
        Statement(
            """
            select \(subject), m.metric, width_bucket(u.period_start, $2::timestamptz[])::int8 - 1, sum(m.value)::int8
            from (select u.* from \(counters) and u.period_start >= ($2::timestamptz[])[1] and u.period_start < $3) u
            cross join lateral (values \(Metric.flows.columns { "('\($0)', u.\($0))" })) m (metric, value)
            group by 1, 2, 3
            """)
    }

    /// What the hours of the period `$2` must sum up to by the counters of the tenants `$3`: tenant, and the numbers of what adds up.
    /// Late messages are in the hours of their own period, and in the counters of the one that they are booked in.
    static let tenantSums = sums(
        "select tenant as subject, \(summed.columns) from tenantry.tenant_usage where account = $1 and tenant = any($3) and period_start = $2",
        late: "tenant", "tenant = any($3)")
    /// The same for the pool.
    static let poolSums = sums(
        """
        select '' as subject, \(summed.columns) from tenantry.account_usage where account = $1 and period_start = $2
        union all
        select '', \(summed.columns) from tenantry.usage_deltas where account = $1 and period_start = $2
        """, late: "''", "true")

    /// Flows whose hours add up. Users don't.
    static let summed = Metric.flows.filter { $0 != .activeUsers }

    private static func sums(_ counters: String, late subject: String, _ condition: String) -> Statement {
        let ofLate = summed.columns { column in
            Metric.late.contains { $0.column == column } ? column : "0"
        }
        let taken = summed.columns { column in
            Metric.late.contains { $0.column == column } ? "-\(column)" : "0"
        }
        return Statement(
            """
            select subject, \(Metric.counts { summed.contains($0) ? "sum(\($0.column))" : nil }) from (
                \(counters)
                union all
                select \(subject), \(ofLate) from tenantry.late_usage where account = $1 and period_start = $2 and \(condition)
                union all
                select \(subject), \(taken) from tenantry.late_usage where account = $1 and booked_start = $2 and \(condition)
            ) parts group by subject
            """)
    }

    /// Tenants of `$1` whose counters of the period `$2`, or of a later one, moved after `$3`, at most `$4`.
    static let moved: Statement = """
        select distinct t.slug, t.schema_name from tenantry.tenant_usage u join tenantry.tenants t on t.slug = u.tenant
        where u.account = $1 and u.period_start >= $2 and u.changed_at > $3 and t.state <> 'purged' limit $4
        """
}
