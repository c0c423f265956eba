internal import Contract
public import Postgres

/// Books usage in the transaction of the effect that caused it.
public enum Meter {
    /// Adds to the tenants' counters and leaves what their pools gained for the leader; writes the alerts of every threshold that a
    /// tenant crosses by it.
    ///
    /// - Parameter usages: in any order; they are booked in the order of tenant and period, so that lanes wait for each other instead of
    ///   blocking each other.
    public static func book(_ usages: [Usage], on database: inout Transaction) throws(PostgresError) {
        let moved = usages.filter { !$0.counts.isZero }
        guard !moved.isEmpty else { return }
        let tenants = moved.filter { $0.tenant != nil }.sorted { ($0.tenant!, $0.period.start) < ($1.tenant!, $1.period.start) }
        try sendPools(moved, on: &database)
        guard !tenants.isEmpty else {
            _ = try database.collect()
            return
        }
        try database.send(SQL.bump, counterParameters(tenants, subjects: tenants.map { $0.tenant! }))
        let due = try database.collect()[1]
        var subjects: [Subject: UsageCounts] = [:]
        for usage in tenants where usage.counts.hasDecrease { subjects[Subject(usage), default: UsageCounts()] += usage.counts }
        if due.count > 0 {
            let keys = Set(
                (0..<due.count).map {
                    Subject(account: due.text($0, 2), tenant: due.text($0, 0), periodStart: due.timestamp($0, 1))
                })
            for usage in tenants where keys.contains(Subject(usage)) { subjects[Subject(usage)] = usage.counts }
        }
        try Evaluation.run(subjects, on: &database)
    }

    private static func sendPools(_ usages: [Usage], on database: inout Transaction) throws(PostgresError) {
        var pools: [Subject: Usage] = [:]
        for usage in usages {
            let pool = Subject(account: usage.account, tenant: nil, periodStart: usage.period.start)
            if pools[pool] == nil {
                pools[pool] = Usage(account: usage.account, tenant: nil, period: usage.period, counts: usage.counts)
            } else {
                pools[pool]!.counts += usage.counts
            }
        }
        let rows = Array(pools.values)
        try database.send(SQL.delta, counterParameters(rows, subjects: nil))
    }

    /// The columns of usage rows as arrays: [subject,] account, period start and end, then the metrics in their order.
    static func counterParameters(_ usages: [Usage], subjects: [String]?) -> Parameters {
        var parameters = Parameters()
        if let subjects { parameters.append(subjects) }
        parameters.append(usages.map(\.account))
        parameters.append(timestamps: usages.map(\.period.start))
        parameters.append(timestamps: usages.map(\.period.end))
        for metric in Metric.allCases { parameters.append(usages.map { $0.counts[metric] }) }
        return parameters
    }

    enum SQL {
        static let bump: Statement = """
            with bumped as (
                insert into tenantry.tenant_usage as u (tenant, account, period_start, period_end,
                    messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes)
                select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[],
                    $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[])
                on conflict (tenant, period_start) do update set
                    messages = u.messages + excluded.messages, conversations = u.conversations + excluded.conversations,
                    active_users = u.active_users + excluded.active_users, tokens = u.tokens + excluded.tokens,
                    documents = u.documents + excluded.documents, corpus_bytes = u.corpus_bytes + excluded.corpus_bytes, changed_at = now()
                returning *
            )
            select tenant, period_start, account from bumped
            where messages >= messages_alert_at or conversations >= conversations_alert_at or active_users >= active_users_alert_at
               or tokens >= tokens_alert_at or documents >= documents_alert_at or corpus_bytes >= corpus_bytes_alert_at
            """
        static let delta: Statement = """
            insert into tenantry.usage_deltas (account, period_start, period_end,
                messages, conversations, active_users, tokens, child_tenants, documents, corpus_bytes)
            select * from unnest($1::text[], $2::timestamptz[], $3::timestamptz[],
                $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[])
            """
    }
}

/// Whose usage, in which period.
struct Subject: Hashable, Sendable {
    let account: String
    let tenant: String?
    let periodStart: Timestamp
}

extension Subject {
    init(_ usage: Usage) {
        self.init(account: usage.account, tenant: usage.tenant, periodStart: usage.period.start)
    }
}
