internal import Postgres

enum AggregateSQL {
    /// What changed shortly before the last time is looked at again: its transaction may have been under way then. Recent
    /// are the hours of two days before, from a midnight on: an hour begins there everywhere. A recount is due after a day, and when a period has ended since.
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
    static let done: Statement = """
        update tenantry.accounts set aggregated_at = $2, recounted_at = case when $3 then $2 else recounted_at end where slug = $1
        """

    /// The hours of a period: `$1` ≤ t < `$2`, each from its beginning in the zone `$3`, of tenant `$4`.
    ///
    /// Hours begin where a clock on the account's wall shows a full one, so they fill days and months exactly, also in zones that are off by
    /// half an hour, and where the clock is changed. Messages, tokens and users are in the hour of the message's own time, whatever period it
    /// was booked in; a user counts in every hour of activity. A conversation counts once, in its first hour within the period that it is
    /// booked in. What was erased stays in.
    static func rollUp(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            with raw as (
                select date_trunc('hour', sent_at, $3) as hour, count(*) as messages,
                       sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens, count(distinct user_id) as active_users
                from \(schema).messages where sent_at >= $1 and sent_at < $2 group by 1
            ), begun as (
                select date_trunc('hour', greatest(started_at, period_start), $3) as hour, count(*) as conversations
                from \(schema).conversations
                where greatest(started_at, period_start) >= $1 and greatest(started_at, period_start) < $2 group by 1
            ), counted as (
                select hour, m.metric, m.value from raw
                cross join lateral (values ('messages', messages), ('tokens', tokens), ('active_users', active_users)) m (metric, value)
                union all
                select hour, 'conversations', conversations from begun
                union all
                select e.hour, m.metric, m.value from tenantry.erased_usage e
                cross join lateral (values ('messages', e.messages), ('tokens', e.tokens), ('active_users', e.active_users),
                    ('conversations', e.conversations)) m (metric, value)
                where e.tenant = $4 and e.hour >= $1 and e.hour < $2
            ), fresh as (
                select hour, metric, sum(value)::int8 as value from counted group by hour, metric having sum(value) <> 0
            ), gone as (
                delete from \(schema).usage_hourly u where u.hour >= $1 and u.hour < $2
                  and not exists (select from fresh f where f.hour = u.hour and f.metric = u.metric)
            )
            insert into \(schema).usage_hourly as u (hour, metric, value) select hour, metric, value from fresh
            on conflict (hour, metric) do update set value = excluded.value where u.value <> excluded.value
            """)
    }

    /// When a user last said something, of what was sent since `$1`.
    static func lastActivity(_ schema: Identifier) -> Statement {
        Statement("select max(sent_at) from \(schema.quoted).messages where sent_at >= $1 and user_id is not null")
    }

    /// What the raw rows say with what was erased, less what the counters say, of one moment; and when a user last said something.
    static func flowDifference(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            select (m.messages + e.messages - coalesce(flow.messages, 0))::int8,
                   ((select count(*) from \(schema).conversations where period_start = $2) + e.conversations
                    - coalesce(flow.conversations, 0))::int8,
                   ((select count(*) from \(schema).active_users where period_start = $2) + e.users - coalesce(flow.active_users, 0))::int8,
                   (m.tokens + e.tokens - coalesce(flow.tokens, 0))::int8,
                   m.last_active_at
            from (
                select count(*) as messages, coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0) as tokens,
                       max(sent_at) filter (where user_id is not null) as last_active_at
                from \(schema).messages where period_start = $2
            ) m
            cross join (
                select coalesce(sum(messages), 0) as messages, coalesce(sum(conversations), 0) as conversations,
                       coalesce(sum(tokens), 0) as tokens, coalesce(sum(period_users), 0) as users
                from tenantry.erased_usage where tenant = $1 and period_start = $2
            ) e
            left join tenantry.tenant_usage flow on flow.tenant = $1 and flow.period_start = $2
            """)
    }

    /// The same for what is there now.
    static func gaugeDifference(_ schema: Identifier) -> Statement {
        Statement(
            """
            select d.documents - coalesce(gauge.documents, 0), d.bytes - coalesce(gauge.corpus_bytes, 0)
            from (
                select count(*) as documents, coalesce(sum(content_bytes), 0)::int8 as bytes from \(schema.quoted).documents
            ) d
            left join tenantry.tenant_usage gauge on gauge.tenant = $1 and gauge.period_start = '-infinity'
            """)
    }

    /// What the tenants' counters sum up to, less what the pool has and is about to get. What purged tenants used stays used; documents
    /// they have none any more.
    static let poolDifference: Statement = """
        select (t.messages - p.messages)::int8, (t.conversations - p.conversations)::int8, (t.active_users - p.active_users)::int8,
               (t.tokens - p.tokens)::int8, (t.child_tenants - p.child_tenants)::int8, (t.documents - p.documents)::int8,
               (t.corpus_bytes - p.corpus_bytes)::int8
        from (
            select coalesce(sum(messages), 0) as messages, coalesce(sum(conversations), 0) as conversations,
                   coalesce(sum(active_users), 0) as active_users, coalesce(sum(tokens), 0) as tokens,
                   case when $2::timestamptz = '-infinity' then (
                       select count(*) from tenantry.tenants where account = $1 and state in ('active', 'suspended')
                   ) else 0 end as child_tenants,
                   coalesce(sum(documents), 0) as documents, coalesce(sum(corpus_bytes), 0) as corpus_bytes
            from tenantry.tenant_usage u where account = $1 and period_start = $2
              and ($2 > '-infinity' or not exists (select from tenantry.tenants gone where gone.slug = u.tenant and gone.state = 'purged'))
        ) t
        cross join (
            select coalesce(sum(messages), 0) as messages, coalesce(sum(conversations), 0) as conversations,
                   coalesce(sum(active_users), 0) as active_users, coalesce(sum(tokens), 0) as tokens,
                   coalesce(sum(child_tenants), 0) as child_tenants, coalesce(sum(documents), 0) as documents,
                   coalesce(sum(corpus_bytes), 0) as corpus_bytes
            from (
                select messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes
                from tenantry.account_usage where account = $1 and period_start = $2
                union all
                select messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes
                from tenantry.usage_deltas where account = $1 and period_start = $2
            ) parts
        ) p
        """
}
