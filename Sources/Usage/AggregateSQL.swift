internal import Contract
internal import Metering
internal import Postgres

/// The statements of `usage.aggregate` on the control schema.
enum AggregateSQL {
    /// What changed shortly before the last time is looked at again: its transaction may have been under way then. Recent are the hours
    /// from the midnight two days before: everywhere an hour begins there. A recount is due after a day, and when a period has ended
    /// since. A row is an ``AggregatedAccount``.
    static let account: Statement = """
        select a.timezone, a.closed_through, now(), a.aggregated_at - interval '10 minutes', a.recounted_at - interval '10 minutes',
               date_trunc('day', a.aggregated_at - interval '2 days', a.timezone),
               a.recounted_at < greatest(now() - interval '24 hours', present.period_start)
        from tenantry.accounts a
        cross join lateral tenantry.period(now(), a.timezone, a.billing_anchor_day) present
        where a.slug = $1
        """
    static let periods: Statement = """
        select p.period_start, p.period_end from tenantry.accounts a
        cross join lateral (
            select case when $2::text is null then now()
                else ((to_date($2, 'YYYY-MM') + interval '1 month - 1 day')::timestamp at time zone a.timezone) end as at
        ) moment
        cross join lateral tenantry.period(moment.at, a.timezone, a.billing_anchor_day) p
        where a.slug = $1
        union
        select u.period_start, u.period_end from tenantry.accounts a
        join (
            select account, period_start, period_end from tenantry.usage_deltas
            union
            select u.account, u.period_start, u.period_end from tenantry.account_usage u
            join tenantry.accounts own on own.slug = u.account and u.changed_at > own.recounted_at
        ) u on u.account = a.slug
        where a.slug = $1 and $2::text is null and u.period_start > '-infinity' and u.period_end <= now()
        order by 1
        """
    /// `$3`: only those whose counters moved later; null: all.
    static let tenants: Statement = """
        select t.slug from tenantry.tenants t
        where t.account = $1 and ($2::text is null or t.slug = $2) and t.state <> 'purged' and $3::timestamptz is null
        union all
        select u.tenant from tenantry.tenant_usage u
        where u.account = $1 and ($2::text is null or u.tenant = $2) and u.changed_at > $3
        group by u.tenant
        order by 1
        """
    static let schemas: Statement = """
        select slug, schema_name from tenantry.tenants where slug = any($1) and state <> 'purged' order by slug
        """
    static let changedPeriods: Statement = """
        select tenant, period_start, period_end from tenantry.tenant_usage
        where tenant = any($1) and changed_at > $2 and period_start > '-infinity' order by tenant, period_start
        """
    /// The closed periods that messages belong to which were booked in the periods `$2`.
    static let latePeriods: Statement = """
        select distinct l.tenant, l.booked_start, p.period_start, p.period_end
        from tenantry.late_usage l join tenantry.accounts a on a.slug = l.account
        cross join lateral tenantry.period(l.period_start, a.timezone, a.billing_anchor_day) p
        where l.tenant = any($1) and l.booked_start = any($2)
        """
    static let noteActivity: Statement = """
        update tenantry.tenants t set last_active_at = a.at
        from unnest($1::text[], $2::timestamptz[]) as a (slug, at)
        where t.slug = a.slug and (t.last_active_at is null or t.last_active_at < a.at)
        """
    /// Adds what the tenants' hours gained to those of their account.
    static let bookHours: Statement = """
        insert into tenantry.account_usage_hourly as u (account, hour, metric, value)
        select $1, d.hour, d.metric, d.value from unnest($2::timestamptz[], $3::text[], $4::int8[]) as d (hour, metric, value)
        order by d.hour, d.metric
        on conflict (account, hour, metric) do update set value = u.value + excluded.value
        """
    static let bookDays: Statement = """
        insert into tenantry.account_usage_daily as u (account, day, active_users)
        select $1, d.day, d.active_users from unnest($2::timestamptz[], $3::int8[]) as d (day, active_users) order by d.day
        on conflict (account, day) do update set active_users = u.active_users + excluded.active_users
        """
    static let done: Statement = """
        update tenantry.accounts set aggregated_at = $2, recounted_at = case when $3 then $2 else recounted_at end where slug = $1
        """

    /// What the tenants' counters sum up to, less what the pool has and is about to get. What purged tenants used stays used; of gauges
    /// they hold nothing any more.
    static let poolDifference = Statement(
        """
        select \(Metric.counts { "t.\($0.column) - p.\($0.column)" })
        from (
            select \(sums)
            from tenantry.tenant_usage u where account = $1 and period_start = $2
              and ($2 > '-infinity' or not exists (select from tenantry.tenants gone where gone.slug = u.tenant and gone.state = 'purged'))
        ) t
        cross join (
            select \(Metric.allCases.columns { "coalesce(sum(\($0)), 0) as \($0)" })
            from (
                select \(Metric.allCases.columns) from tenantry.account_usage where account = $1 and period_start = $2
                union all
                select \(Metric.allCases.columns) from tenantry.usage_deltas where account = $1 and period_start = $2
            ) parts
        ) p
        """)

    /// The tenants' sums; what only accounts have is counted by itself.
    private static let sums = Metric.allCases.map { metric in
        guard case .accountGauge(let count) = metric.recount else {
            return "coalesce(sum(\(metric.column)), 0) as \(metric.column)"
        }
        return "case when $2::timestamptz = '-infinity' then (\(count)) else 0 end as \(metric.column)"
    }.joined(separator: ", ")
}
