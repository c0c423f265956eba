internal import AMQP
internal import Contract
internal import Families
internal import Fleet
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

/// `usage.aggregate` of accounts with many tenants, by the fleet itself, and with tenants that come and go.
@Suite(.serialized) struct PartwiseAggregateTests {
    @Test("The leader asks for the aggregation of accounts in use by itself")
    func byItself() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker(serve: { $0.aggregateSeconds = 0.2 })
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(3, tenant: "shop", token: account)
        try await eventually("the hours are rolled up") {
            try fleet.number("select sum(value)::int8 from tenant_shop.usage_hourly where metric = 'messages'") == 3
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("The fleet's own aggregation leaves tenants alone that have not moved; one that somebody sends looks at all")
    func changesOnly() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        for slug in ["busy", "still"] {
            try fleet.makeTenant(slug, token: account)
            try fleet.logMessages(2, tenant: slug, token: account)
        }
        let first = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(first.result?["tenants"] == 2 && first.result?["corrections"] == 0)
        await fleet.stop()
        // As if the one had been still for a day; its roll-up and its counter are wrong.
        try fleet.database.run(
            script: """
                update tenantry.tenant_usage set changed_at = now() - interval '1 day', messages = 9 where tenant = 'still';
                update tenant_still.usage_hourly set value = 77 where metric = 'messages';
                """)
        try fleet.startWorker(serve: { $0.aggregateSeconds = 0.2 })
        try fleet.logMessages(3, tenant: "busy", token: account)
        try await eventually("what moved is rolled up") {
            try fleet.number("select sum(value)::int8 from tenant_busy.usage_hourly where metric = 'messages'") == 5
        }
        #expect(try fleet.number("select sum(value)::int8 from tenant_still.usage_hourly where metric = 'messages'") == 77)
        let whole = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(whole.result?["tenants"] == 2 && whole.result?["corrections"] == 1)
        #expect(try fleet.number("select sum(value)::int8 from tenant_still.usage_hourly where metric = 'messages'") == 2)
        try await fleet.swept()
        #expect(try fleet.differences(tenants: ["busy", "still"]) == [])
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test(
        "The fleet's own aggregation rolls up recent hours, and once a day counts all that moved, also when nobody speaks any more"
    )
    func recent() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        let old = RFC3339.text(SystemClock.nowMicroseconds() - 5 * 86_400 * 1_000_000)
        try fleet.logMessages(2, tenant: "shop", token: account, sentAt: old)
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        await fleet.stop()
        try fleet.database.run(
            script: """
                update tenantry.tenant_usage set messages = messages + 50 where messages > 0;
                update tenant_shop.usage_hourly set value = 77 where metric = 'messages';
                """)
        let count = "from tenant_shop.usage_hourly where metric = 'messages' and hour"
        try fleet.startWorker(serve: { $0.aggregateSeconds = 0.2 })
        try fleet.logMessages(1, tenant: "shop", token: account, sentAt: old)
        try fleet.logMessages(3, tenant: "shop", token: account)
        try await eventually("the recent hours are rolled up") {
            try fleet.number("select sum(value)::int8 \(count) > now() - interval '1 day'") == 3
        }
        #expect(try fleet.number("select sum(value)::int8 \(count) < now() - interval '1 day'") == 77, "not looked at")
        #expect(try fleet.number("select sum(messages)::int8 from tenantry.tenant_usage") >= 56, "not held against the rows")
        try fleet.database.run(script: "update tenantry.accounts set recounted_at = now() - interval '25 hours'")
        try await eventually("all is counted") {
            try fleet.number("select sum(value)::int8 \(count) < now() - interval '1 day'") == 3
                && fleet.number("select sum(messages)::int8 from tenantry.tenant_usage") == 6
                && fleet.number("select count(*) from tenantry.accounts where recounted_at > now() - interval '1 hour'") == 1
        }
        try await fleet.swept()
        #expect(try fleet.differences(tenants: ["shop"]) == [])
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A tenant that is purged in the middle of an aggregation is left out of it; the job is not done over")
    func purgedMeanwhile() async throws {
        let fleet = try await TestFleet()
        _ = try fleet.broker.declareQueue("retried")
        try fleet.broker.bindQueue("retried", exchange: Topology.retryExchange, routingKey: "", arguments: ["x-match": "all"])
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        for slug in ["one", "two", "six"] {
            try fleet.makeTenant(slug, token: account)
            try fleet.logMessages(2, tenant: slug, token: account)
        }
        try await fleet.swept()
        try fleet.database.run(script: "update tenantry.tenant_usage set messages = 9 where messages > 0 and tenant <> 'two'")
        // As a purge that is about to be committed.
        try fleet.database.begin()
        try fleet.database.run(
            script: "update tenantry.tenants set state = 'purged' where slug = 'two'; drop schema tenant_two cascade")
        try fleet.send("usage.aggregate", "{}", token: account, id: "whole")
        try await eventually("the aggregation waits for it") {
            try fleet.number(
                """
                select count(*) from pg_locks l join pg_database d on d.oid = l.database
                where not l.granted and l.locktype = 'relation' and d.datname = current_database()
                """) == 1
        }
        try fleet.database.commit()
        let answer = try fleet.answer(to: "whole")
        #expect(answer.result?["tenants"] == 2 && answer.result?["corrections"] == 2, "\(answer)")
        #expect(try fleet.broker.inspectQueue("retried")?.messageCount == 0, "not by the ladder")
        #expect(try fleet.texts("select messages::text from tenantry.tenant_usage where messages > 0") == ["2", "2", "2"])
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A lane's connection is renewed after a job that went through too many schemas")
    func renewed() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        for slug in ["one", "two", "six"] { try fleet.makeTenant(slug, token: account) }
        let nobody = try fleet.makeOldAccount("nobody", plan: "enterprise-plus")
        await fleet.stop()
        try fleet.startWorker {
            $0.lanes = [.usage: 1]
            $0.schemasPerConnection = 2
        }
        // So that the lane has its connection.
        #expect(try fleet.ask("usage.aggregate", "{}", token: nobody).result?["tenants"] == 0)
        let open = "select pid::text from pg_stat_activity where datname = current_database()"
        let before = Set(try fleet.texts(open))
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["tenants"] == 3)
        try await eventually("a connection ends") { try !before.isSubset(of: fleet.texts(open)) }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["tenants"] == 3)
        await fleet.stop()
    }

    @Test("Several aggregations of an account with more tenants than a part has correct each counter once")
    func parts() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        let tenants = (0..<120).map { "t\($0)" }
        for slug in tenants {
            let body = #"{"slug":"\#(slug)","display_name":"T"}"#
            try fleet.send("tenant.create", body, token: account, id: slug)
        }
        for slug in tenants { #expect(try fleet.answer(to: slug).status == .succeeded) }
        for slug in tenants {
            try fleet.send("conversation.log", TestFleet.log(["1", "2"]), tenant: slug, token: account, id: "log-\(slug)")
        }
        for slug in tenants { #expect(try fleet.answer(to: "log-\(slug)").status == .succeeded) }
        try await fleet.swept()
        await fleet.stop()
        try fleet.database.run(
            script: """
                update tenantry.tenant_usage set messages = 100 where messages > 0;
                update tenantry.account_usage set messages = 5 where period_start > '-infinity';
                """)
        let ids = (0..<3).map { "aggregate-\($0)" }
        for id in ids { try fleet.send("usage.aggregate", "{}", token: account, id: id) }
        try fleet.startWorker { $0.lanes = [.usage: 3] }
        var corrections: Int64 = 0
        for id in ids {
            let answer = try fleet.answer(to: id)
            #expect(answer.result?["tenants"] == 120, "\(answer)")
            if case .int(let count)? = answer.result?["corrections"] { corrections += count }
        }
        #expect(corrections == 120, "each by one of them")
        try await fleet.swept()
        #expect(try fleet.differences(tenants: tenants) == [])
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A purged tenant's use stays in the pool, its documents and its place don't")
    func purged() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        for slug in ["kept", "gone", "away"] {
            try fleet.makeTenant(slug, token: account)
            try fleet.logMessages(4, tenant: slug, token: account)
            let document = #"{"external_id":"a","title":"t","media_type":"text/plain","content":"12345"}"#
            #expect(
                try fleet.ask("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: slug, token: account).status
                    == .succeeded)
        }
        try await fleet.swept()
        try fleet.database.run(
            script: """
                update tenantry.tenants set state = 'purged' where slug = 'gone';
                drop schema tenant_gone cascade;
                update tenantry.tenants set state = 'archived' where slug = 'away';
                """)
        let answer = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(answer.result?["tenants"] == 2 && answer.result?["corrections"] == 0, "\(answer)")
        try await fleet.swept()
        func pool(_ metric: String) throws -> Int64 {
            try fleet.number(
                "select value from tenantry.current_usage where account = 'acme' and tenant is null and metric = '\(metric)'")
        }
        #expect(try pool("messages") == 12)
        #expect(try pool("documents") == 2)
        #expect(try pool("corpus_bytes") == 10)
        #expect(try pool("child_tenants") == 1, "neither the archived one nor the purged one has a place")
        await fleet.stop()
    }

    @Test("A counter of a closed period is corrected when that period is asked for, and the answer says so")
    func closed() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(3, tenant: "shop", token: account, sentAt: "2024-02-10T10:00:00Z")
        try fleet.logMessages(1, tenant: "shop", token: account)
        try fleet.database.run(
            script: """
                update tenantry.accounts set closed_through = '2024-03-01T00:00:00Z';
                update tenantry.tenant_usage set messages = 1, changed_at = now() - interval '1 year' where period_start = '2024-02-01T00:00:00Z';
                """)
        try fleet.logMessages(5, tenant: "shop", token: account, sentAt: "2024-02-11T10:00:00Z")
        let open = try fleet.ask("usage.aggregate", #"{"period":"2024-03"}"#, token: account)
        #expect(open.result?["corrections"] == 0 && open.result?["closed_corrections"] == 0)
        let closed = try fleet.ask("usage.aggregate", #"{"period":"2024-02"}"#, token: account)
        #expect(closed.result?["corrections"] == 1 && closed.result?["closed_corrections"] == 1, "\(closed)")
        #expect(
            try fleet.number("select messages from tenantry.tenant_usage where period_start = '2024-02-01T00:00:00Z'") == 3,
            "what came late is counted where it was booked")
        #expect(
            try fleet.number(
                "select sum(value)::int8 from tenant_shop.usage_hourly where metric = 'messages' and hour < '2024-03-01'")
                == 8, "an hour has all that was said in it")
        try await fleet.swept()
        #expect(try fleet.differences(tenants: ["shop"]) == [])
        await fleet.stop()
    }
}
