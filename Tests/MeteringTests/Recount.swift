internal import Contract
internal import Foundation
internal import Postgres
internal import TestSupport

extension TestFleet {
    /// Logs messages with ids, users, conversations and times drawn at random: some twice.
    ///
    /// - Parameter moment: draws a time, in seconds since 1970.
    func logAtRandom(
        jobs count: Int = 60, tenants: [String], token: String, seed: UInt64 = 7,
        moment: (inout SeededNumbers) -> Int64
    ) throws {
        var random = SeededNumbers(state: seed)
        var jobs: [String] = []
        for index in 0..<count {
            let messages = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                let sentAt = RFC3339.text(moment(&random) * 1_000_000)
                let user = Bool.random(using: &random) ? #","user_id":"u\#(Int.random(in: 0...9, using: &random))""# : ""
                let tokens =
                    Bool.random(using: &random) ? #","tokens_in":\#(Int.random(in: 0...90, using: &random)),"tokens_out":3"# : ""
                return
                    #"{"id":"m\#(Int.random(in: 0...count * 8, using: &random))","role":"user","content":"x","sent_at":"\#(sentAt)"\#(user)\#(tokens)}"#
            }
            let body =
                #"{"conversation_id":"c\#(Int.random(in: 0...count / 2, using: &random))","messages":[\#(messages.joined(separator: ","))]}"#
            let id = "job-\(seed)-\(index)"
            jobs.append(id)
            try send("conversation.log", body, tenant: tenants.randomElement(using: &random)!, token: token, id: id)
        }
        for id in jobs {
            let answer = try answer(to: id)
            guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
        }
    }

    /// What differs between the counters and the rows that they count, in words; empty when all is exact.
    func differences(tenants: [String]) throws -> [String] {
        var found: [String] = []
        for tenant in tenants {
            let schema = "tenant_" + tenant
            found += try texts(
                """
                with raw as (
                    select period_start, count(*) as messages, sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0))::int8 as tokens,
                        count(distinct user_id) as active_users,
                        (select count(*) from \(schema).conversations c where c.period_start = m.period_start) as conversations
                    from \(schema).messages m group by 1
                ), counted as (
                    select period_start, messages, tokens, active_users, conversations from tenantry.tenant_usage
                    where tenant = '\(tenant)' and period_start <> '-infinity'
                )
                select '\(tenant) ' || coalesce(raw::text, 'no rows') || ' counted as ' || coalesce(counted::text, 'nothing')
                from raw full join counted using (period_start) where raw is distinct from counted
                """)
        }
        found += try texts(
            """
            with sums as (
                select account, period_start, sum(messages) as messages, sum(conversations) as conversations, sum(active_users) as users,
                    sum(tokens) as tokens, sum(documents) as documents, sum(corpus_bytes) as bytes
                from tenantry.tenant_usage group by 1, 2
            ), pools as (
                select account, period_start, messages::numeric, conversations::numeric, active_users::numeric as users, tokens::numeric,
                    documents::numeric, corpus_bytes::numeric as bytes
                from tenantry.account_usage where messages + documents + corpus_bytes <> 0
            )
            select 'pool ' || coalesce(sums::text, 'no tenants') || ' counted as ' || coalesce(pools::text, 'nothing')
            from sums full join pools using (account, period_start) where sums is distinct from pools
            """)
        return found
    }

    /// Where an account's hours and days are not the sums of its tenants', in words.
    func unequalHistory(tenants: [String]) throws -> [String] {
        func sum(_ table: String) -> String {
            tenants.map { "select * from tenant_\($0).\(table)" }.joined(separator: " union all ")
        }
        return try texts(
            """
            select concat_ws(' ', hour, metric, own.value, 'for', s.value)
            from (select hour, metric, sum(value)::int8 as value from (\(sum("usage_hourly"))) h group by 1, 2) s
            full join (select hour, metric, value from tenantry.account_usage_hourly where value <> 0) own using (hour, metric)
            where own.value is distinct from s.value
            union all
            select concat_ws(' ', day, own.active_users, 'users for', s.active_users)
            from (select day, sum(active_users)::int8 as active_users from (\(sum("usage_daily"))) d group by 1) s
            full join (select day, active_users from tenantry.account_usage_daily where active_users <> 0) own using (day)
            where own.active_users is distinct from s.active_users
            """)
    }

    func swept() async throws {
        try await eventually("pools are swept") { try number("select count(*) from tenantry.usage_deltas") == 0 }
    }
}
