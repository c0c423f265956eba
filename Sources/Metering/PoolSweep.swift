internal import Contract
public import Jobs
public import Postgres

/// The leader's duty: adds what committed batches left behind to their accounts' pools, and measures the pools against their limits.
public enum PoolSweep {
    /// Rows of one round.
    private static let batch: Int64 = 20_000

    public static func duty(every seconds: Double) -> LeaderDuty {
        LeaderDuty("pool sweep", intervalSeconds: seconds) { try run(on: &$0) }
    }

    /// One round in one transaction; repeats while there is a full batch to take.
    public static func run(on database: inout Connection) throws(PostgresError) {
        while try database.transaction({ (database: inout Transaction) throws(PostgresError) in try sweep(on: &database) }) {}
    }

    /// One account's share, in the caller's transaction.
    public static func sweep(account: String, on database: inout Transaction) throws(PostgresError) {
        while try sweep(only: account, on: &database) {}
    }

    private static func sweep(only account: String? = nil, on database: inout Transaction) throws(PostgresError) -> Bool {
        var parameters = Parameters()
        parameters.append(batch)
        parameters.append(account)
        let taken = try database.query(SQL.take, parameters)
        guard taken.count > 0 else { return false }
        var swept: Int64 = 0
        let usages = (0..<taken.count).map { row in
            var counts = UsageCounts()
            for (column, metric) in Metric.allCases.enumerated() { counts[metric] = taken.int(row, 3 + column) }
            swept += taken.int(row, 3 + Metric.allCases.count)
            return Usage(
                account: taken.text(row, 0), tenant: nil,
                period: BillingPeriod(start: taken.timestamp(row, 1), end: taken.timestamp(row, 2)),
                counts: counts)
        }
        let due = try database.query(SQL.bump, Meter.counterParameters(usages, subjects: nil))
        let keys = Set((0..<due.count).map { Subject(account: due.text($0, 0), tenant: nil, periodStart: due.timestamp($0, 1)) })
        var subjects: [Subject: UsageCounts] = [:]
        for usage in usages where usage.counts.hasDecrease || keys.contains(Subject(usage)) {
            subjects[Subject(usage)] = usage.counts
        }
        try Evaluation.run(subjects, on: &database)
        return swept == batch
    }

    enum SQL {
        static let take: Statement = """
            with taken as (
                delete from tenantry.usage_deltas where id in (
                    select id from tenantry.usage_deltas where $2::text is null or account = $2
                    order by id limit $1 for update skip locked)
                returning *
            )
            select account, period_start, max(period_end), sum(messages)::int8, sum(conversations)::int8, sum(active_users)::int8,
                   sum(tokens)::int8, sum(child_tenants)::int8, sum(documents)::int8, sum(corpus_bytes)::int8, count(*)
            from taken group by account, period_start order by account, period_start
            """
        static let bump: Statement = """
            with bumped as (
                insert into tenantry.account_usage as u (account, period_start, period_end,
                    messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes)
                select * from unnest($1::text[], $2::timestamptz[], $3::timestamptz[],
                    $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[])
                on conflict (account, period_start) do update set
                    messages = u.messages + excluded.messages, conversations = u.conversations + excluded.conversations,
                    active_users = u.active_users + excluded.active_users, tokens = u.tokens + excluded.tokens,
                    child_tenants = u.child_tenants + excluded.child_tenants,
                    documents = u.documents + excluded.documents, corpus_bytes = u.corpus_bytes + excluded.corpus_bytes, changed_at = now()
                returning *
            )
            select account, period_start from bumped
            where messages >= messages_alert_at or conversations >= conversations_alert_at or active_users >= active_users_alert_at
               or tokens >= tokens_alert_at or child_tenants >= child_tenants_alert_at or documents >= documents_alert_at
               or corpus_bytes >= corpus_bytes_alert_at
            """
    }
}
