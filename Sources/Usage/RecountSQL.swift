internal import Contract
internal import Metering
internal import Postgres

/// The statements of `usage.aggregate` on a tenant's schema, made from how each metric is counted (``Metric/recount``).
enum RecountSQL {
    /// The hours of a period: `$1` ≤ t < `$2`, each from its beginning in the zone `$3`, of tenant `$4`.
    ///
    /// Hours begin where a clock on the account's wall shows a full one, so they fill days and months exactly, also in zones that are off by
    /// half an hour, and where the clock is changed. Messages, tokens and users are in the hour of the message's own time, whatever period it
    /// was booked in; a user counts in every hour of activity. A conversation counts once, in its first hour within the period that it is
    /// booked in. What was erased stays in.
    ///
    /// Days are those that begin in the span, which is one of whole days. The answer is what changed: an hour, its metric and the difference, or a
    /// day, null and the difference of its users.
    static let rollUp = TenantSQL(
        """
        with \(counted), fresh as (
            select hour, metric, sum(value)::int8 as value from counted group by hour, metric having sum(value) <> 0
        ), before as (
            select hour, metric, value from {schema}.usage_hourly where hour >= $1 and hour < $2
        ), gone as (
            delete from {schema}.usage_hourly u where u.hour >= $1 and u.hour < $2
              and not exists (select from fresh f where f.hour = u.hour and f.metric = u.metric)
        ), written as (
            insert into {schema}.usage_hourly as u (hour, metric, value) select hour, metric, value from fresh
            on conflict (hour, metric) do update set value = excluded.value where u.value <> excluded.value
        ), fresh_days as (
            \(usersOfDays(from: "$1"))
        ), days_before as (
            select day, active_users from {schema}.usage_daily where day >= $1 and day < $2
        ), gone_days as (
            delete from {schema}.usage_daily u where u.day >= $1 and u.day < $2
              and not exists (select from fresh_days f where f.day = u.day)
        ), written_days as (
            insert into {schema}.usage_daily as u (day, active_users) select day, active_users from fresh_days
            on conflict (day) do update set active_users = excluded.active_users where u.active_users <> excluded.active_users
        )
        select hour, metric, coalesce(f.value, 0) - coalesce(b.value, 0) from fresh f full join before b using (hour, metric)
        where f.value is distinct from b.value
        union all
        select day, null, coalesce(f.active_users, 0) - coalesce(b.active_users, 0)
        from fresh_days f full join days_before b using (day) where f.active_users is distinct from b.active_users
        """)

    /// `counted`: hour, metric and value of what the raw rows of `$1` ≤ t < `$2` say, and what was erased; parts of one hour to be summed up.
    /// `$3` is the zone, `$4` the tenant.
    static let counted = """
        messages as (
            select date_trunc('hour', sent_at, $3) as hour, count(*) as messages,
                   sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens, count(distinct user_id) as active_users
            from {schema}.messages where sent_at >= $1 and sent_at < $2 group by 1
        ), conversations as (
            select date_trunc('hour', greatest(started_at, period_start), $3) as hour, count(*) as conversations
            from {schema}.conversations
            where greatest(started_at, period_start) >= $1 and greatest(started_at, period_start) < $2 group by 1
        ), counted as (
            \(hours)
        )
        """

    /// Each day from `start` on and before `$2`, in the zone `$3`, with its distinct users, of whom something is still there.
    static func usersOfDays(from start: String) -> String {
        """
        select tenantry.day_of(sent_at, $3) as day, count(distinct user_id) as active_users from {schema}.messages
        where sent_at >= \(start) and sent_at < $2 and user_id is not null group by 1
        """
    }

    /// When a user last said something, of what was sent since `$1`; no row where nobody did.
    static let lastActivity = TenantSQL(
        """
        select max(sent_at) from {schema}.messages where sent_at >= $1 and user_id is not null having max(sent_at) is not null
        """)

    /// What the raw rows of tenant `$1` in the period `$2` say with what was erased, less what the counters say, of one moment; and when a
    /// user last said something.
    static let flowDifference = TenantSQL(
        """
        select \(Metric.counts(flowDifference)), m.last_active_at
        from (
            select count(*) as messages, coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0) as tokens,
                   max(sent_at) filter (where user_id is not null) as last_active_at
            from {schema}.messages where period_start = $2
        ) m
        cross join (
            select \(Metric.flows.compactMap(erasedSum).joined(separator: ", "))
            from tenantry.erased_usage where tenant = $1 and period_start = $2
        ) e
        left join tenantry.tenant_usage flow on flow.tenant = $1 and flow.period_start = $2
        """)

    /// The same for what is there now: `$1` is the tenant.
    static let gaugeDifference = TenantSQL(
        """
        select \(Metric.counts(gaugeDifference))
        from \(gauges)
        left join tenantry.tenant_usage gauge on gauge.tenant = $1 and gauge.period_start = '-infinity'
        """)
}

// What the metrics give to the statements.
extension RecountSQL {
    /// Hour, metric and value of what is there and of what was erased.
    private static let hours: String = {
        let present = Recount.Source.allCases.map { source in
            let metrics = Metric.flows.filter {
                if case .flow(source, _, _) = $0.recount { true } else { false }
            }
            let values = metrics.columns { "('\($0)', s.\($0))" }
            return
                "select s.hour, m.metric, m.value from \(source.rawValue) s cross join lateral (values \(values)) m (metric, value)"
        }
        let erased = """
            select e.hour, m.metric, m.value from tenantry.erased_usage e
            cross join lateral (values \(Metric.flows.columns { "('\($0)', e.\($0))" })) m (metric, value)
            where e.tenant = $4 and e.hour >= $1 and e.hour < $2
            """
        return (present + [erased]).joined(separator: "\nunion all\n")
    }()

    private static func flowDifference(_ metric: Metric) -> String? {
        guard case .flow(_, let inPeriod, _) = metric.recount else { return nil }
        return "\(inPeriod) + e.\(metric.column) - coalesce(flow.\(metric.column), 0)"
    }

    private static func erasedSum(_ metric: Metric) -> String? {
        guard case .flow(_, _, let erased) = metric.recount else { return nil }
        return "coalesce(sum(\(erased)), 0) as \(metric.column)"
    }

    private static func gaugeDifference(_ metric: Metric) -> String? {
        guard case .gauge(_, let table) = metric.recount else { return nil }
        return "\(table).\(metric.column) - coalesce(gauge.\(metric.column), 0)"
    }

    /// One row for each table that gauges count, with a column for each of its gauges.
    private static let gauges: String = {
        var columns: [(table: String, columns: [String])] = []
        for metric in Metric.allCases {
            guard case .gauge(let number, let table) = metric.recount else { continue }
            if !columns.contains(where: { $0.table == table }) { columns.append((table, [])) }
            let index = columns.firstIndex { $0.table == table }!
            columns[index].columns.append("\(number) as \(metric.column)")
        }
        return columns.map { "(select \($0.columns.joined(separator: ", ")) from {schema}.\($0.table)) \($0.table)" }
            .joined(separator: " cross join ")
    }()
}
