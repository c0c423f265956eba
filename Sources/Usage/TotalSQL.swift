internal import Contract
internal import Metering
internal import Postgres

/// The statements of ``UsageTotal`` and ``UsageView``.
enum TotalSQL {
    /// As `tenantry.current_usage`, for any period, with what the pool has, and with what is not swept up yet. What is there now (documents and the
    /// like) belongs to the present period alone. A tenant that was purged is there where it used something. A limit that is reached comes
    /// with the time of its alert: the last one for 100 % that was not resolved.
    ///
    /// `$1`: this account's; `$2`: this tenant's; `$3`: the period's month.
    static let totals = Statement(
        """
        with periods as (
            select a.slug as account, a.timezone, p.period_start, p.period_end, p.period_start <= now() and now() < p.period_end as is_present
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
        ), pools as materialized (
            select account, period_start, \(Metric.allCases.columns { "sum(\($0))::int8 as \($0)" }) from (
                select account, period_start, \(Metric.allCases.columns) from tenantry.account_usage
                where account in (select account from periods)
                union all
                select account, period_start, \(Metric.allCases.columns) from tenantry.usage_deltas
                where account in (select account from periods)
            ) parts group by 1, 2
        ), totals as materialized (
            select s.*, m.name as metric, m.position, l.limit_value, l.mode, v.pool,
                   case when s.tenant is null then v.pool else coalesce(\(Metric.allCases.value(of: "m.name", in: "own")), 0) end as value
            from subjects s
            cross join lateral tenantry.limits_of(s.account, s.tenant) l
            join tenantry.metrics m on m.name = l.metric and (s.is_present or not m.is_gauge)
            left join tenantry.tenant_usage own
                on own.tenant = s.tenant and own.period_start = case when m.is_gauge then '-infinity' else s.period_start end
            left join pools p on p.account = s.account
                and p.period_start = case when m.is_gauge then '-infinity' else s.period_start end
            cross join lateral (select coalesce(\(Metric.allCases.value(of: "m.name", in: "p")), 0) as pool) v
        ), breaches as (
            select t.account, t.tenant, t.metric, breach.at from totals t
            cross join lateral (
                \(breach(account: "t.account", tenant: "t.tenant", metric: "t.metric", period: "t.period_start", when: "true"))
            ) breach where t.value >= t.limit_value
        )
        select t.account, t.tenant, t.metric, t.value, t.limit_value, t.mode, reached.at, t.pool, t.timezone, t.period_start, t.period_end
        from totals t
        left join breaches reached
            on reached.account = t.account and coalesce(reached.tenant, '') = coalesce(t.tenant, '') and reached.metric = t.metric
        where $2::text is null or t.tenant is not null
        order by t.account, t.tenant nulls first, t.position
        """)

    /// The same for the tenant `$2` of account `$1`, or for its pool, in the period that begins at `$3`; `$4` says whether that is the present one. One
    /// subject's rows are found without the plan that is good for all. A row of counters has flows or gauges; the others are 0 in it.
    static let subject = Statement(
        """
        select l.metric, v.value, l.limit_value, l.mode, reached.at, v.pool
        from tenantry.limits_of($1, $2) l
        join tenantry.metrics m on m.name = l.metric and ($4 or not m.is_gauge)
        cross join (
            select \(sums) from tenantry.tenant_usage where tenant = $2 and period_start in ($3, '-infinity')
        ) own
        cross join (
            select \(sums) from (
                select \(Metric.allCases.columns) from tenantry.account_usage where account = $1 and period_start in ($3, '-infinity')
                union all
                select \(Metric.allCases.columns) from tenantry.usage_deltas where account = $1 and period_start in ($3, '-infinity')
            ) parts
        ) pool
        cross join lateral (
            select case when $2::text is null then p.value else \(Metric.allCases.value(of: "l.metric", in: "own")) end as value, p.value as pool
            from (select \(Metric.allCases.value(of: "l.metric", in: "pool")) as value) p
        ) v
        left join lateral (
            \(breach(account: "$1", tenant: "$2", metric: "l.metric", period: "$3", when: "v.value >= l.limit_value"))
        ) reached on true
        where $2::text is null or exists (
            select from tenantry.tenants t where t.slug = $2 and t.account = $1
              and (t.state <> 'purged' or exists (select from tenantry.tenant_usage u where u.tenant = $2 and u.period_start = $3)))
        order by m.position
        """)

    private static let sums = Metric.allCases.columns { "coalesce(sum(\($0)), 0)::int8 as \($0)" }

    /// When the limit was reached: the last alert for 100 % that was not resolved.
    private static func breach(account: String, tenant: String, metric: String, period: String, when condition: String) -> String
    {
        """
        select max(fired.created_at) as at from tenantry.alerts fired
        join tenantry.metrics m on m.name = fired.metric and (m.is_gauge or fired.period_start = \(period))
        where \(condition) and fired.account = \(account) and coalesce(fired.tenant, '') = coalesce(\(tenant), '')
          and fired.metric = \(metric) and fired.state = 'breached' and fired.threshold_percent = 100
          and not exists (
              select from tenantry.alerts r
              where r.account = fired.account and coalesce(r.tenant, '') = coalesce(fired.tenant, '') and r.metric = fired.metric
                and r.period_start = fired.period_start and r.threshold_percent = 100 and r.state = 'resolved'
                and r.created_at > fired.created_at)
        """
    }

    /// The tenants of `$1` with the largest values of each of the metrics `$4`: tenant, metric, value; at most `$3` of each, without those that have
    /// none. `$2` is the period's start; gauges are of now. One pass over the tenants' counters, and a short sort for each metric.
    static let largest = Statement(
        """
        with flows as materialized (
            select tenant, \(flows.columns) from tenantry.tenant_usage where account = $1 and period_start = $2
        ), gauges as materialized (
            select tenant, \(gauges.columns) from tenantry.tenant_usage where account = $1 and period_start = '-infinity'
        )
        \(rankings)
        """)

    private static let flows = Metric.ofTenants.filter { !$0.isGauge }
    private static let gauges = Metric.ofTenants.filter(\.isGauge)

    private static let rankings = (flows.map { largest($0, in: "flows") } + gauges.map { largest($0, in: "gauges") })
        .joined(separator: "\nunion all\n")

    private static func largest(_ metric: Metric, in rows: String) -> String {
        let name = metric.column
        return """
            (select tenant, '\(name)' as metric, \(name) from \(rows)
             where \(name) > 0 and '\(name)' = any($4::text[]) order by \(name) desc, tenant limit $3)
            """
    }
}
