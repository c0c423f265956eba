internal import AMQP
internal import Contract
internal import Postgres
internal import TestSupport
internal import Testing

extension Traffic {
    /// Waits until everything is counted, pools included, and every alert is out. A worker must be running.
    func settle(on stage: Stage, within seconds: Double = 90) async throws {
        try await eventually("\(messages) messages are counted", within: seconds) { try counted(on: stage) >= messages }
        // Repeats count for nothing, and are still to be taken.
        try await eventually("no job waits") { try stage.jobsLeft() == 0 }
        try await eventually("the pools are up to date") { try stage.number("select count(*) from tenantry.usage_deltas") == 0 }
        try await eventually("the outbox is empty") { try stage.number("select count(*) from tenantry.outbox") == 0 }
    }

    /// Looks at everything once all workers have ended: each message is there once, is counted once, and has crossed each threshold once;
    /// no job is left, was retried or given up.
    func expectExact(
        on stage: Stage, alertsIn queue: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectCounted(on: stage, alertsIn: queue, sourceLocation: sourceLocation)
        try #expect(stage.jobsLeft() == 0, "jobs left", sourceLocation: sourceLocation)
        try #expect(stage.takeDeadLetters() == [], sourceLocation: sourceLocation)
        try #expect(stage.ready("retried") == 0, "retries", sourceLocation: sourceLocation)
    }

    /// The part of it about what is counted: rows, counters, pools, alerts.
    func expectCounted(
        on stage: Stage, alertsIn queue: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try #expect(rows(on: stage) == counts, "rows", sourceLocation: sourceLocation)
        try #expect(counters(on: stage) == counts, "tenants' counters", sourceLocation: sourceLocation)
        try #expect(pools(on: stage) == expectedPools, "pools", sourceLocation: sourceLocation)
        let fired = try stage.table(
            "select account || '/' || coalesce(tenant, '') || '/' || threshold_percent, state, (published_at is not null)::text, id::text "
                + "from tenantry.alerts order by 1")
        #expect(fired.map { $0[0] } == alerts.sorted(), "alerts", sourceLocation: sourceLocation)
        #expect(fired.allSatisfy { $0[1] != "resolved" && $0[2] == "true" }, "alerts", sourceLocation: sourceLocation)
        if let queue {
            let received = try stage.takeAll(from: queue).map { $0.messageID ?? "" }
            #expect(Set(received) == Set(fired.map { $0[3] }), "alerts received", sourceLocation: sourceLocation)
        }
    }

    private func rows(on stage: Stage) throws -> [Counts] {
        let sql = tenants.enumerated().map { index, tenant in
            let schema = "tenant_\(tenant.slug)"
            return """
                select \(index), count(*), count(distinct conversation_id), count(distinct user_id), coalesce(sum(tokens_in), 0)::int8,
                    (select count(*) from \(schema).conversations), (select coalesce(sum(message_count), 0)::int8 from \(schema).conversations)
                from \(schema).messages
                """
        }.joined(separator: " union all ")
        let rows = try stage.database.query(Statement(sql + " order by 1"))
        return (0..<rows.count).map { row in
            let counts = Counts(
                messages: Int(rows.int(row, 1)), conversations: Int(rows.int(row, 2)), users: Int(rows.int(row, 3)),
                tokens: Int(rows.int(row, 4)))
            #expect(
                rows.int(row, 5) == rows.int(row, 2) && rows.int(row, 6) == rows.int(row, 1),
                "conversations of \(tenants[row].slug)")
            return counts
        }
    }

    private func counters(on stage: Stage) throws -> [Counts] {
        let found = try counts(
            on: stage, "select tenant, messages, conversations, active_users, tokens from tenantry.tenant_usage")
        return tenants.map { found[$0.slug] ?? Counts() }
    }

    private func pools(on stage: Stage) throws -> [String: Counts] {
        try counts(
            on: stage,
            "select account, messages, conversations, active_users, tokens from tenantry.account_usage where period_start > '-infinity'"
        ).filter { pool in accounts.contains { $0.slug == pool.key } }
    }

    private var expectedPools: [String: Counts] {
        var pools: [String: Counts] = [:]
        for (tenant, counts) in zip(tenants, counts) {
            pools[tenant.account, default: Counts()].messages += counts.messages
            pools[tenant.account, default: Counts()].conversations += counts.conversations
            pools[tenant.account, default: Counts()].users += counts.users
            pools[tenant.account, default: Counts()].tokens += counts.tokens
        }
        return pools
    }

    private func counts(on stage: Stage, _ sql: String) throws -> [String: Counts] {
        let rows = try stage.database.query(Statement(sql))
        var counts: [String: Counts] = [:]
        for row in 0..<rows.count {
            counts[rows.text(row, 0)] = Counts(
                messages: Int(rows.int(row, 1)), conversations: Int(rows.int(row, 2)), users: Int(rows.int(row, 3)),
                tokens: Int(rows.int(row, 4)))
        }
        return counts
    }
}
