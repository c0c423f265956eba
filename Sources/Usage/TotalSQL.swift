internal import Contract
internal import Metering
internal import Postgres

/// The statements of ``UsageTotal`` and ``UsageView``.
enum TotalSQL {
    /// As `tenantry.current_usage`, for any period, with what the pool has, and with what is not swept up yet. What is there now (documents and the
    /// like) belongs to the present period alone. A tenant that was purged is there where it used something. A limit that is reached comes
    /// with the time of its alert: the last one for 100 % that was not resolved.
    ///
    /// `$1`: this account's; `$2`: this tenant's; `$3`: the period's month; `$4`: these metrics; `$5`: pools alone.
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
            where not $5 and ($2::text is null or t.slug = $2)
              and (t.state <> 'purged' or exists (
                  select from tenantry.tenant_usage u where u.tenant = t.slug and u.period_start = p.period_start))
        ), deltas as materialized (
            select account, period_start, \(Metric.allCases.columns { "sum(\($0))::int8 as \($0)" })
            from tenantry.usage_deltas where $1::text is null or account = $1 group by 1, 2
        ), totals as (
            select s.*, m.name as metric, m.position, l.limit_value, l.mode,
                   coalesce(\(Metric.allCases.value(of: "m.name", in: "u")), 0) as value
            from subjects s
            cross join lateral tenantry.limits_of(s.account, s.tenant) l
            join tenantry.metrics m on m.name = l.metric and (s.is_present or not m.is_gauge)
                and ($4::text[] is null or m.name = any($4))
            left join lateral (
                select \(Metric.allCases.columns) from tenantry.tenant_usage
                where tenant = s.tenant and period_start = case when m.is_gauge then '-infinity' else s.period_start end
                union all
                select \(Metric.allCases.columns { "sum(\($0))::int8" }) from (
                    select \(Metric.allCases.columns) from tenantry.account_usage
                    where account = s.account and period_start = case when m.is_gauge then '-infinity' else s.period_start end
                    union all
                    select \(Metric.allCases.columns) from deltas
                    where account = s.account and period_start = case when m.is_gauge then '-infinity' else s.period_start end
                ) pool where s.tenant is null
                having s.tenant is null
            ) u on true
        )
        select t.account, t.tenant, t.metric, t.value, t.limit_value, t.mode, reached.at, pool.value, t.timezone, t.period_start, t.period_end
        from totals t join totals pool on pool.account = t.account and pool.metric = t.metric and pool.tenant is null
        left join lateral (
            select max(fired.created_at) as at from tenantry.alerts fired
            join tenantry.metrics m on m.name = fired.metric and (m.is_gauge or fired.period_start = t.period_start)
            where t.value >= t.limit_value and fired.account = t.account and coalesce(fired.tenant, '') = coalesce(t.tenant, '') and fired.metric = t.metric
              and fired.state = 'breached' and fired.threshold_percent = 100
              and not exists (
                  select from tenantry.alerts r
                  where r.account = fired.account and coalesce(r.tenant, '') = coalesce(fired.tenant, '') and r.metric = fired.metric
                    and r.period_start = fired.period_start and r.threshold_percent = 100 and r.state = 'resolved'
                    and r.created_at > fired.created_at)
        ) reached on true
        where $2::text is null or t.tenant is not null
        order by t.account, t.tenant nulls first, t.position
        """)

    /// The tenants of `$1` with the largest values of each metric: tenant, metric, value; at most `$3` of a metric, without those that have none.
    /// `$2` is the period's start; gauges are of now. One pass over the tenants' counters, and a short sort for each metric.
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
        return
            "(select tenant, '\(name)' as metric, \(name) from \(rows) where \(name) > 0 order by \(name) desc, tenant limit $3)"
    }
}
