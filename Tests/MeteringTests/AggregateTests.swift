internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

/// `usage.aggregate` holds the live counters against the raw rows.
@Suite(.serialized) struct AggregateTests {
    /// Times of two months.
    private func logAtRandom(_ fleet: TestFleet, tenants: [String], token: String) throws {
        let now = Int64(Date().timeIntervalSince1970)
        try fleet.logAtRandom(tenants: tenants, token: token) { now - Int64.random(in: 0...5_000_000, using: &$0) }
    }

    @Test("Live counters equal a recount, and one that was tampered with is corrected, as is its pool")
    func recount() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker {
            $0.lanes[.conversation] = 3
            $0.batchLimit = 5
        }
        let account = try fleet.makeOldAccount(
            "acme", plan: "enterprise-plus", #","timezone":"Asia/Kathmandu","billing_anchor_day":31"#)
        let tenants = ["one", "two", "three"]
        for slug in tenants { try fleet.makeTenant(slug, token: account) }
        try logAtRandom(fleet, tenants: tenants, token: account)
        try await fleet.swept()
        #expect(try fleet.differences(tenants: tenants) == [])
        #expect(try fleet.number("select count(distinct period_start) from tenantry.tenant_usage") >= 2, "the data spans periods")

        let clean = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(clean.result?["corrections"] == 0 && clean.result?["tenants"] == 3)

        try fleet.database.run(
            script: """
                update tenantry.tenant_usage u set messages = messages + 5, active_users = active_users - 1, tokens = 0
                from tenantry.current_usage c where u.tenant = 'two' and c.tenant = 'two' and c.metric = 'messages' and u.period_start = c.period_start;
                update tenantry.account_usage a set conversations = conversations + 9
                from tenantry.current_usage c where c.tenant is null and c.metric = 'messages' and a.period_start = c.period_start;
                update tenantry.account_usage set child_tenants = 77 where period_start = '-infinity';
                """)
        #expect(try !fleet.differences(tenants: tenants).isEmpty)
        let mended = try fleet.ask("usage.aggregate", #"{"account":"acme"}"#, token: account)
        #expect(mended.result?["corrections"] == 1)
        try await fleet.swept()
        #expect(try fleet.differences(tenants: tenants) == [])
        #expect(try fleet.number("select child_tenants from tenantry.account_usage where period_start = '-infinity'") == 3)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("Hours add up to the rows, however often they are rolled up, and an earlier month is rolled up when it is named")
    func hours() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try logAtRandom(fleet, tenants: ["shop"], token: account)
        try fleet.logMessages(2, tenant: "shop", token: account, sentAt: "2020-05-31T23:30:00Z")
        for _ in 0..<2 { #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded) }
        let month = try fleet.ask("usage.aggregate", #"{"period":"2020-05"}"#, token: fleet.operatorToken) { _ in }
        #expect(month.error?.field == "/account", "an operator names the account")
        #expect(
            try fleet.ask("usage.aggregate", #"{"period":"2020-05","account":"acme"}"#, token: fleet.operatorToken).status
                == .succeeded)
        #expect(
            try fleet.texts(
                "select metric || ' ' || hour::text || ' ' || value from tenant_shop.usage_hourly where hour < '2021-01-01' order by 1"
            ) == [
                "active_users 2020-05-31 23:00:00+00 1", "conversations 2020-05-31 23:00:00+00 1",
                "messages 2020-05-31 23:00:00+00 2",
            ])
        let open = "(select period_start from tenantry.current_usage where tenant = 'shop' and metric = 'messages')"
        for (metric, expected) in [
            ("messages", "select count(*) from tenant_shop.messages where sent_at >= \(open)"),
            (
                "tokens",
                "select coalesce(sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)), 0)::int8 from tenant_shop.messages where sent_at >= \(open)"
            ),
            ("conversations", "select count(*) from tenant_shop.conversations where period_start >= \(open)"),
        ] {
            let rolledUp = try fleet.number(
                "select sum(value)::int8 from tenant_shop.usage_hourly where metric = '\(metric)' and hour >= \(open)")
            #expect(rolledUp == (try fleet.number(expected)), "\(metric)")
        }
        // Rows that went are gone from their hours.
        try fleet.database.run(script: "delete from tenant_shop.messages where sent_at >= \(open)")
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded)
        #expect(
            try fleet.number("select count(*) from tenant_shop.usage_hourly where metric = 'messages' and hour >= \(open)") == 0)
        #expect(try fleet.number("select value from tenantry.current_usage where tenant = 'shop' and metric = 'messages'") == 0)
        await fleet.stop()
    }

    @Test("Two aggregations at once correct a counter once")
    func concurrently() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(10, tenant: "shop", token: account)
        try await fleet.swept()
        await fleet.stop()
        for round in 0..<12 {
            try fleet.database.run(
                script:
                    "update tenantry.tenant_usage set messages = 0 where messages > 0; update tenantry.account_usage set messages = 0"
            )
            let ids = (0..<4).map { "\(round)-\($0)" }
            for id in ids { try fleet.send("usage.aggregate", "{}", token: account, id: id) }
            if round == 0 {
                try fleet.startWorker {
                    $0.lanes = [.usage: 4]
                    $0.batchLimit = 1
                }
            }
            for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
            try await fleet.swept()
            #expect(
                try fleet.number("select messages from tenantry.tenant_usage where period_start <> '-infinity'") == 10,
                "round \(round)")
            #expect(
                try fleet.number("select messages from tenantry.account_usage where period_start <> '-infinity'") == 10,
                "round \(round)")
        }
        await fleet.stop()
    }

    @Test("Two aggregations at once correct a counter once also where no hour is rolled up")
    func concurrentlyWithoutHours() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        let tenants = (0..<6).map { "bare-\($0)" }
        for slug in tenants { try fleet.makeTenant(slug, token: account) }
        await fleet.stop()
        for round in 0..<15 {
            let rows = tenants.map { "('\($0)', 'acme', '-infinity', 'infinity', 7)" }.joined(separator: ", ")
            try fleet.database.run(
                script: """
                    delete from tenantry.tenant_usage;
                    insert into tenantry.tenant_usage (tenant, account, period_start, period_end, documents) values \(rows);
                    update tenantry.account_usage set documents = 42, child_tenants = 1 where period_start = '-infinity';
                    """)
            let ids = (0..<4).map { "\(round)-\($0)" }
            for id in ids { try fleet.send("usage.aggregate", "{}", token: account, id: id) }
            if round == 0 {
                try fleet.startWorker {
                    $0.lanes = [.usage: 4]
                    $0.batchLimit = 1
                }
            }
            for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
            try await fleet.swept()
            #expect(try fleet.number("select count(*) from tenantry.tenant_usage where documents <> 0") == 0, "round \(round)")
            #expect(
                try fleet.number("select documents from tenantry.account_usage where period_start = '-infinity'") == 0,
                "round \(round)")
            #expect(
                try fleet.number("select child_tenants from tenantry.account_usage where period_start = '-infinity'") == 6,
                "round \(round)")
        }
        await fleet.stop()
    }
}

/// What people read: pool totals and `tenantry.current_usage`.
@Suite struct CurrentUsageTests {
    @Test("Every subject has a row for every metric, with its limit, or null where there is none")
    func rows() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "pro", #","limits":{"tokens":500,"child_tenants":2}"#)
        try fleet.makeTenant("shop", token: account, #","plan":"small","limits":{"messages":null}"#)
        try fleet.makeTenant("blog", token: account)
        try fleet.logMessages(7, tenant: "blog", token: account)
        try fleet.logMessages(4, tenant: "shop", token: account)
        func rows(_ subject: String) throws -> [String] {
            try fleet.texts(
                """
                select metric || ' ' || value || ' of ' || coalesce(limit_value::text, 'unlimited') from tenantry.current_usage c
                join tenantry.metrics m on m.name = c.metric where account = 'acme' and tenant \(subject) order by m.position
                """)
        }
        try await eventually("the pool follows") { try rows("is null").first == "messages 11 of 10000" }
        #expect(
            try rows("is null")
                == Self.rows(
                    of: Metric.allCases,
                    [
                        .messages: "11 of 10000", .conversations: "2 of unlimited", .activeUsers: "2 of unlimited",
                        .tokens: "0 of 500", .childTenants: "2 of 2",
                    ]))
        #expect(
            try rows("= 'shop'")
                == Self.rows(
                    of: Metric.ofTenants,
                    [
                        .messages: "4 of unlimited", .conversations: "1 of unlimited", .activeUsers: "1 of unlimited",
                        .documents: "0 of 2", .corpusBytes: "0 of 1000",
                    ]))
        #expect(
            try rows("= 'blog'")
                == Self.rows(
                    of: Metric.ofTenants,
                    [.messages: "7 of unlimited", .conversations: "1 of unlimited", .activeUsers: "1 of unlimited"]))
        #expect(
            try fleet.number(
                "select count(*) from tenantry.current_usage where period_start <= now() and now() < period_end and account = 'acme'"
            ) == Metric.allCases.count + 2 * Metric.ofTenants.count)
        await fleet.stop()
    }

    /// One row for each metric in its order; those that are not named are unused and unlimited.
    private static func rows(of metrics: [Metric], _ known: [Metric: String]) -> [String] {
        metrics.map { "\($0.rawValue) \(known[$0] ?? "0 of unlimited")" }
    }
}
