internal import Contract
internal import Metering
internal import Postgres

/// The statements of ``UsageReport`` and ``UsageTotal``.
enum ReportSQL {
    /// The period that starts in month `$2`, or the present one. A row is a ``ReportPeriod``.
    static let period: Statement = """
        select a.timezone, a.billing_anchor_day, a.aggregated_at, p.period_start, p.period_end from tenantry.accounts a
        cross join lateral (
            select case when $2::text is null then now()
                else ((to_date($2, 'YYYY-MM') + interval '1 month - 1 day')::timestamp at time zone a.timezone) end as at
        ) moment
        cross join lateral tenantry.period(moment.at, a.timezone, a.billing_anchor_day) p
        where a.slug = $1
        """
    static let tenants: Statement = """
        select slug, schema_name from tenantry.tenants where account = $1 and state <> 'purged' order by slug
        """

    /// Where the buckets of `$1` ≤ t < `$2` in the zone `$3` begin, and what they are called there.
    static func buckets(_ bucket: UsageReport.Bucket) -> Statement {
        switch bucket {
        case .hour:
            // A quarter of an hour is the finest step between a clock and UTC that is in use.
            """
            select start, to_char(date_trunc('hour', start at time zone $3), 'YYYY-MM-DD HH24:MI') from (
                select distinct date_trunc('hour', moment, $3) as start
                from generate_series($1::timestamptz, $2::timestamptz - interval '1 microsecond', interval '15 minutes') moment
            ) hours order by start
            """
        case .day:
            // By instants, as the periods are: a midnight may come twice, or not at all.
            """
            select distinct on (start) start, to_char(day, 'YYYY-MM-DD') from (
                select day, day at time zone $3 as start
                from generate_series(
                    ($1::timestamptz at time zone $3)::date - interval '1 day', ($2::timestamptz at time zone $3)::date, interval '1 day') day
            ) days where start >= $1 and start < $2 order by start, day
            """
        case .month:
            """
            with recursive months as (
                select $1::timestamptz as start, 1 as n
                union all
                select earlier.period_start, n + 1 from months
                cross join lateral tenantry.period(months.start - interval '1 microsecond', $3, $4::int8::int4) earlier
                where n < $5 and months.start < $2
            )
            select start, to_char(start at time zone $3, 'YYYY-MM') from months order by start
            """
        }
    }

    /// One tenant's metrics by the number of their bucket, from 0; `$1` are the buckets' beginnings, `$2` is the end of the last.
    static func series(_ schema: Identifier, _ bucket: UsageReport.Bucket, hasUsers: Bool) -> Statement {
        let schema = schema.quoted
        let inHours = bucket == .hour && hasUsers
        let hours = """
            select metric, width_bucket(hour, $1::timestamptz[])::int8 - 1, sum(value)::int8 from \(schema).usage_hourly
            where hour >= ($1::timestamptz[])[1] and hour < $2\(inHours ? "" : " and metric <> 'active_users'") group by 1, 2
            """
        guard hasUsers, bucket != .hour else { return Statement(hours) }
        let users =
            bucket == .day
            ? """
            select 'active_users', width_bucket(sent_at, $1::timestamptz[])::int8 - 1, count(distinct user_id) from \(schema).messages
            where sent_at >= ($1::timestamptz[])[1] and sent_at < $2 and user_id is not null group by 2
            """
            : """
            select 'active_users', width_bucket(period_start, $1::timestamptz[])::int8 - 1, sum(users)::int8 from (
                select period_start, count(*) as users from \(schema).active_users group by 1
                union all
                select period_start, sum(period_users) from tenantry.erased_usage where tenant = $3 group by 1
            ) u where period_start >= ($1::timestamptz[])[1] and period_start < $2 group by 2
            """
        return Statement(hours + "\nunion all\n" + users)
    }

    /// As `tenantry.current_usage`, for any period, and with what the pool has. What is there now (documents and the like) belongs to the
    /// present period alone. A tenant that was purged is there where it used something.
    static let totals = Statement(
        """
        with periods as (
            select a.slug as account, p.period_start, p.period_end, p.period_start <= now() and now() < p.period_end as is_present
            from tenantry.accounts a
            cross join lateral (
                select case when $3::text is null then now()
                    else ((to_date($3, 'YYYY-MM') + interval '1 month - 1 day')::timestamp at time zone a.timezone) end as at
            ) moment
            cross join lateral tenantry.period(moment.at, a.timezone, a.billing_anchor_day) p
            where ($1::text is null or a.slug = $1)
              and ($2::text is null or a.slug = (select account from tenantry.tenants where slug = $2))
        ), subjects as (
            select p.*, null::text as tenant from periods p
            union all
            select p.*, t.slug from periods p join tenantry.tenants t on t.account = p.account
            where ($2::text is null or t.slug = $2)
              and (t.state <> 'purged' or exists (
                  select from tenantry.tenant_usage u where u.tenant = t.slug and u.period_start = p.period_start))
        ), totals as (
            select s.*, m.name as metric, m.position, l.limit_value,
                   coalesce(\(Metric.allCases.value(of: "m.name", in: "u")), 0) as value
            from subjects s
            cross join lateral tenantry.limits_of(s.account, s.tenant) l
            join tenantry.metrics m on m.name = l.metric and (s.is_present or not m.is_gauge) and ($4::text is null or m.name = $4)
            left join lateral (
                select \(Metric.allCases.columns) from tenantry.tenant_usage
                where tenant = s.tenant and period_start = case when m.is_gauge then '-infinity' else s.period_start end
                union all
                select \(Metric.allCases.columns) from tenantry.account_usage
                where s.tenant is null and account = s.account
                  and period_start = case when m.is_gauge then '-infinity' else s.period_start end
            ) u on true
        )
        select t.account, t.tenant, t.metric, t.value, t.limit_value, pool.value, t.period_start, t.period_end
        from totals t join totals pool on pool.account = t.account and pool.metric = t.metric and pool.tenant is null
        where $2::text is null or t.tenant is not null
        order by t.account, t.tenant nulls first, t.position
        """)
}

/// A row of `ReportSQL.period`.
struct ReportPeriod {
    let timezone: String
    let anchorDay: Int64
    let aggregatedAt: Timestamp
    let start: Timestamp
    let end: Timestamp
}
