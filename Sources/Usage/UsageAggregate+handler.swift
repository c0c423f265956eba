internal import Contract
internal import Fleet
internal import Metering
internal import Postgres

extension UsageFamily {
    /// `usage.aggregate`: hourly roll-ups made anew, counters held against the raw rows, pools against their tenants, limits measured.
    ///
    /// A counter and the rows that it counts are committed together, so one statement sees both as of one moment: what differs is
    /// wrong, not late, and is booked as a correction. No counter is held for it.
    static func usageAggregate() -> any JobHandler {
        SingleJobHandler(UsageAggregate.self) { payload, job, database in
            let account = try account(of: job, payload)
            // Two aggregations of one account take turns: each would book the same correction.
            try database.takeTurn("tenantry.aggregate:\(account)")
            let periods = try periods(of: account, month: payload.period, on: &database)
            let only = job.tenant?.slug ?? job.principal.tenant
            let tenants = try tenants(of: account, only: only, on: &database)
            var corrections: [Usage] = []
            for tenant in tenants {
                for period in periods {
                    let found = try aggregate(tenant, account: account, period: period, on: &database)
                    // The gauges are the same in every period: booked with the last.
                    corrections += found.filter { $0.period != .always || period == periods.last }
                }
            }
            try Meter.book(corrections, on: &database)
            try correctPools(of: account, periods: periods, on: &database)
            try PoolSweep.sweep(account: account, on: &database)
            try Reevaluation.run(account: account, on: &database)
            // A part of the account, or a period of choice, is not the whole that the next round may build on.
            if only == nil, payload.period == nil {
                var parameters = Parameters()
                parameters.append(account)
                _ = try database.query(AggregateSQL.done, parameters)
            }
            guard let present = periods.last else { preconditionFailure("an account without a period passed") }
            return Reply([
                "account": .string(account), "tenants": .int(Int64(tenants.count)), "corrections": .int(Int64(corrections.count)),
                "period_start": .string(present.start.rfc3339), "period_end": .string(present.end.rfc3339),
            ])
        }
    }

    private static func account(of job: Job, _ payload: UsageAggregate) throws(Rejection) -> String {
        if job.account.isEmpty {
            guard let account = payload.account else {
                throw .invalid("/account", "is missing: an operator's job names the account")
            }
            return account
        }
        if let account = payload.account, account != job.account {
            throw Rejection(.forbidden, "account \(account) is not the sender's own", field: "/account")
        }
        return job.account
    }

    /// The period that starts in `month` (`YYYY-MM`); or the present one, after all earlier ones that moved since the last time.
    private static func periods(of account: String, month: String?, on database: inout Connection) throws -> [BillingPeriod] {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(month)
        let rows = try database.query(AggregateSQL.periods, parameters)
        guard rows.count > 0 else { throw Rejection(.accountUnknown, "there is no account \(account)", field: "/account") }
        return (0..<rows.count).map { BillingPeriod(start: rows.timestamp($0, 0), end: rows.timestamp($0, 1)) }
    }

    private static func tenants(of account: String, only tenant: String?, on database: inout Connection) throws -> [(
        slug: String, schema: Identifier
    )] {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(tenant)
        let rows = try database.query(AggregateSQL.tenants, parameters)
        return try (0..<rows.count).map { (rows.text($0, 0), try Identifier(rows.text($0, 1))) }
    }

    private static func aggregate(
        _ tenant: (slug: String, schema: Identifier), account: String, period: BillingPeriod, on database: inout Connection
    ) throws(PostgresError) -> [Usage] {
        var range = Parameters()
        // Whole hours: a period may begin at half past in a zone that is off by half an hour.
        range.append(timestamp: hour(period.start.microsecondsSince1970, rounded: .down))
        range.append(timestamp: hour(period.end.microsecondsSince1970, rounded: .up))
        try database.send(AggregateSQL.rollUp(tenant.schema), range)
        var counted = Parameters()
        counted.append(tenant.slug)
        counted.append(timestamp: period.start)
        try database.send(AggregateSQL.difference(tenant.schema), counted)
        let rows = try database.collect()[1]
        var flow = UsageCounts()
        flow.messages = rows.int(0, 0)
        flow.conversations = rows.int(0, 1)
        flow.activeUsers = rows.int(0, 2)
        flow.tokens = rows.int(0, 3)
        var gauge = UsageCounts()
        gauge.documents = rows.int(0, 4)
        gauge.corpusBytes = rows.int(0, 5)
        return [(period, flow), (BillingPeriod.always, gauge)].compactMap { period, counts in
            counts == UsageCounts() ? nil : Usage(account: account, tenant: tenant.slug, period: period, counts: counts)
        }
    }

    private static func hour(_ microseconds: Int64, rounded rule: FloatingPointRoundingRule) -> Timestamp {
        let hour: Int64 = 3_600_000_000
        let below = microseconds - (microseconds % hour + hour) % hour
        return Timestamp(microsecondsSince1970: rule == .down || below == microseconds ? below : below + hour)
    }

    private static func correctPools(of account: String, periods: [BillingPeriod], on database: inout Connection)
        throws(PostgresError)
    {
        var corrections: [Usage] = []
        for period in periods + [.always] {
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(timestamp: period.start)
            let rows = try database.query(AggregateSQL.poolDifference, parameters)
            var counts = UsageCounts()
            for (column, metric) in Metric.allCases.enumerated() { counts[metric] = rows.int(0, column) }
            corrections.append(Usage(account: account, tenant: nil, period: period, counts: counts))
        }
        try Meter.book(corrections, on: &database)
    }
}

enum AggregateSQL {
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
            join tenantry.accounts own on own.slug = u.account and u.changed_at > own.aggregated_at
        ) u on u.account = a.slug
        where a.slug = $1 and $2::text is null and u.period_start > '-infinity' and u.period_end <= now()
        order by 1
        """
    static let tenants: Statement = """
        select slug, schema_name from tenantry.tenants where account = $1 and ($2::text is null or slug = $2) order by slug
        """
    static let done: Statement = "update tenantry.accounts set aggregated_at = now() where slug = $1"

    /// Hours are the messages' own, whatever period they were booked in. A user counts in every hour of activity, a conversation in its first.
    static func rollUp(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            with fresh as (
                select date_trunc('hour', sent_at) as hour, 'messages' as metric, count(*) as value
                from \(schema).messages where sent_at >= $1 and sent_at < $2 group by 1
                union all
                select date_trunc('hour', sent_at), 'tokens', sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0))::int8
                from \(schema).messages where sent_at >= $1 and sent_at < $2 group by 1
                union all
                select date_trunc('hour', sent_at), 'active_users', count(distinct user_id)
                from \(schema).messages where sent_at >= $1 and sent_at < $2 and user_id is not null group by 1
                union all
                select date_trunc('hour', started_at), 'conversations', count(*)
                from \(schema).conversations where started_at >= $1 and started_at < $2 group by 1
            ), gone as (
                delete from \(schema).usage_hourly u where u.hour >= $1 and u.hour < $2
                  and not exists (select from fresh f where f.hour = u.hour and f.metric = u.metric and f.value > 0)
            )
            insert into \(schema).usage_hourly as u (hour, metric, value) select hour, metric, value from fresh where value > 0
            on conflict (hour, metric) do update set value = excluded.value where u.value <> excluded.value
            """)
    }

    /// What the raw rows say, less what the counters say, of one moment.
    static func difference(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            select m.messages - coalesce(flow.messages, 0),
                   (select count(*) from \(schema).conversations where period_start = $2) - coalesce(flow.conversations, 0),
                   (select count(*) from \(schema).active_users where period_start = $2) - coalesce(flow.active_users, 0),
                   m.tokens - coalesce(flow.tokens, 0),
                   d.documents - coalesce(gauge.documents, 0), d.bytes - coalesce(gauge.corpus_bytes, 0)
            from (
                select count(*) as messages, coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0)::int8 as tokens
                from \(schema).messages where period_start = $2
            ) m
            cross join (select count(*) as documents, coalesce(sum(content_bytes), 0)::int8 as bytes from \(schema).documents) d
            left join tenantry.tenant_usage flow on flow.tenant = $1 and flow.period_start = $2
            left join tenantry.tenant_usage gauge on gauge.tenant = $1 and gauge.period_start = '-infinity'
            """)
    }

    /// What the tenants' counters sum up to, less what the pool has and is about to get.
    static let poolDifference: Statement = """
        select (t.messages - p.messages)::int8, (t.conversations - p.conversations)::int8, (t.active_users - p.active_users)::int8,
               (t.tokens - p.tokens)::int8, (t.child_tenants - p.child_tenants)::int8, (t.documents - p.documents)::int8,
               (t.corpus_bytes - p.corpus_bytes)::int8
        from (
            select coalesce(sum(messages), 0) as messages, coalesce(sum(conversations), 0) as conversations,
                   coalesce(sum(active_users), 0) as active_users, coalesce(sum(tokens), 0) as tokens,
                   case when $2::timestamptz = '-infinity' then (select count(*) from tenantry.tenants where account = $1) else 0 end as child_tenants,
                   coalesce(sum(documents), 0) as documents, coalesce(sum(corpus_bytes), 0) as corpus_bytes
            from tenantry.tenant_usage where account = $1 and period_start = $2
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
