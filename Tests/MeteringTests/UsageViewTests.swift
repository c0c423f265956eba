internal import Contract
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Usage

/// What people read of their usage, at once and after roll-ups.
@Suite struct UsageViewTests {
    /// An account that is as old as its messages.
    private static func makeAccount(_ stage: HandlerStage, _ more: String = "") throws -> Principal {
        let acme = try stage.makeAccount("acme", plan: "enterprise-plus", more)
        try stage.withDatabase { try $0.run(script: "update tenantry.accounts set created_at = '2020-01-01'") }
        return acme
    }

    private static func log(
        _ stage: HandlerStage, _ moments: [String], tenant: String = "shop", conversation: String = "c", by acme: Principal
    ) throws {
        let messages = moments.map {
            #"{"id":"\#(TestFleet.newID())","role":"user","user_id":"u","content":"x","tokens_in":2,"sent_at":"\#($0)"}"#
        }
        let body = #"{"conversation_id":"\#(conversation)","messages":[\#(messages.joined(separator: ","))]}"#
        let answer = try stage.ask("conversation.log", body, tenant: tenant, by: acme)
        #expect(answer.result?["accepted"] == .int(Int64(moments.count)), "\(answer)")
    }

    private static func view(
        _ stage: HandlerStage, tenant: String? = nil, month: String? = nil, by bucket: UsageReport.Bucket = .day,
        metrics: [Metric]? = nil, withShares: Bool = true
    ) throws -> UsageView {
        let view = try stage.withDatabase {
            try UsageView.read(
                account: "acme", tenant: tenant, month: month, by: bucket, metrics: metrics, withShares: withShares, on: &$0)
        }
        return try #require(view)
    }

    private static func value(_ view: UsageView, _ metric: Metric = .messages) -> UsageView.MetricValue? {
        view.metrics.first { $0.metric == metric }
    }

    /// `start value` of what is not 0.
    private static func busy(_ view: UsageView, _ metric: Metric = .messages) -> [String] {
        view.history.filter { $0.metric == metric && $0.value != 0 }.map { "\($0.start.rfc3339) \($0.value)" }
    }

    private static func sum(_ view: UsageView, _ metric: Metric) -> Int64 {
        view.history.filter { $0.metric == metric }.reduce(0) { $0 + $1.value }
    }

    @Test("The present hour and day are there before any roll-up, of the pool and of each tenant; the history's sum is the value")
    func atOnce() async throws {
        try await HandlerStage.run { stage in
            let acme = try Self.makeAccount(stage, #","timezone":"Asia/Kathmandu","billing_anchor_day":29"#)
            for tenant in ["shop", "other"] { try stage.makeTenant(tenant, by: acme) }
            let now = RFC3339.text(SystemClock.nowMicroseconds())
            try Self.log(stage, [now, now, now], by: acme)
            try Self.log(stage, [now], tenant: "other", by: acme)
            #expect(try stage.number("select count(*) from tenant_shop.usage_hourly") == 0)
            for bucket in UsageReport.Bucket.allCases {
                for (tenant, messages) in [(nil, 4), ("shop", 3), ("other", 1)] as [(String?, Int64)] {
                    let view = try Self.view(stage, tenant: tenant, by: bucket)
                    let place = "\(bucket) \(tenant ?? "pool")"
                    for metric in [Metric.messages, .conversations, .tokens, .activeUsers] {
                        #expect(Self.sum(view, metric) == Self.value(view, metric)?.value, "\(place) \(metric)")
                    }
                    #expect(Self.value(view)?.value == messages && Self.value(view, .tokens)?.value == messages * 2, "\(place)")
                    let last = view.history.last { $0.metric == .messages && $0.start.rfc3339 <= now }
                    #expect(last?.value == messages, "\(place)")
                    #expect(view.history.allSatisfy { $0.start <= Timestamp.now() }, "\(place)")
                    #expect(view.period.start.rfc3339.hasSuffix("18:15:00.000Z"), "midnight in Kathmandu")
                }
            }
            let pool = try Self.view(stage)
            #expect(
                pool.tenants.filter { $0.metric == .messages }.map { "\($0.tenant) \($0.value) \($0.share)" } == [
                    "shop 3 0.75", "other 1 0.25",
                ])
            #expect(Self.value(pool)?.share == nil && Self.value(pool, .childTenants)?.value == 2)
            let own = try Self.view(stage, tenant: "shop")
            #expect(Self.value(own)?.share == 0.75 && own.tenants.isEmpty && Self.value(own, .childTenants) == nil)
            let alone = try Self.view(stage, tenant: "shop", metrics: [.messages, .messages], withShares: false)
            #expect(alone.metrics.count == 1 && alone.metrics[0].share == nil)
            let none = try stage.withDatabase { database in
                (
                    try UsageView.read(account: "nobody", withShares: true, on: &database),
                    try UsageView.read(account: "acme", tenant: "nobody", withShares: true, on: &database)
                )
            }
            #expect(none.0 == nil && none.1 == nil)
        }
    }

    @Test("Days of 23 and 25 hours, what was erased, and late messages in their own time")
    func calendar() async throws {
        try await HandlerStage.run { stage in
            let acme = try Self.makeAccount(stage, #","timezone":"Europe/Zurich""#)
            try stage.makeTenant("shop", by: acme)
            try Self.log(stage, ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"], by: acme)
            try Self.log(stage, ["2024-10-26T21:59:59Z"], conversation: "gone", by: acme)
            try Self.log(stage, ["2024-03-31T00:59:59Z", "2024-03-31T01:00:00Z"], by: acme)
            for tenant in ["shop", nil] {
                let autumn = try Self.view(stage, tenant: tenant, month: "2024-10", by: .hour, metrics: [.messages])
                #expect(autumn.history.count == 31 * 24 + 1 && autumn.month == "2024-10")
                #expect(
                    Self.busy(autumn) == [
                        "2024-10-26T21:00:00.000Z 1", "2024-10-27T00:00:00.000Z 1", "2024-10-27T01:00:00.000Z 1",
                    ])
                #expect(
                    Self.busy(try Self.view(stage, tenant: tenant, month: "2024-10")) == [
                        "2024-10-25T22:00:00.000Z 1", "2024-10-26T22:00:00.000Z 2",
                    ])
                let spring = try Self.view(stage, tenant: tenant, month: "2024-03", by: .hour, metrics: [.messages])
                #expect(spring.history.count == 31 * 24 - 1)
                #expect(Self.value(spring)?.projection == 2 && Self.value(spring)?.value == 2)
            }
            #expect(
                try stage.ask("conversation.erase", #"{"conversation_id":"gone"}"#, tenant: "shop", by: acme).status == .succeeded
            )
            for tenant in ["shop", nil] {
                let erased = try Self.view(stage, tenant: tenant, month: "2024-10")
                #expect(Self.sum(erased, .messages) == 3 && Self.value(erased)?.value == 3)
            }
            try stage.withDatabase { try $0.run(script: "update tenantry.accounts set closed_through = '2024-10-31T23:00:00Z'") }
            try Self.log(stage, ["2024-10-05T10:00:00Z", "2024-11-05T10:00:00Z"], conversation: "late", by: acme)
            for tenant in ["shop", nil] {
                let closed = try Self.view(stage, tenant: tenant, month: "2024-10")
                #expect(Self.busy(closed).first == "2024-10-04T22:00:00.000Z 1" && Self.value(closed)?.value == 3, "\(closed)")
                let open = try Self.view(stage, tenant: tenant, month: "2024-11")
                #expect(Self.busy(open) == ["2024-11-04T23:00:00.000Z 1"] && Self.value(open)?.value == 2)
                let months = try Self.view(stage, tenant: tenant, month: "2024-11", by: .month)
                #expect(Self.busy(months).suffix(2) == ["2024-09-30T22:00:00.000Z 3", "2024-10-31T23:00:00.000Z 2"])
            }
        }
    }

    @Test("A pool of which many tenants moved has the right sum")
    func manyMoved() async throws {
        try await HandlerStage.run { stage in
            let acme = try Self.makeAccount(stage)
            let now = RFC3339.text(SystemClock.nowMicroseconds())
            for index in 0..<30 {
                try stage.makeTenant("shop-\(index)", by: acme)
                try Self.log(stage, [now, now], tenant: "shop-\(index)", by: acme)
            }
            let view = try Self.view(stage, by: .hour)
            #expect(Self.sum(view, .messages) == 60 && Self.sum(view, .tokens) == 120 && Self.value(view)?.value == 60)
            #expect(view.history.last { $0.metric == .messages }?.value == 60)
            #expect(view.tenants.count { $0.metric == .messages } == 30)
        }
    }

    @Test("Limits: soft, hard and none, reached when the alert says so; what is there now has no history")
    func limits() async throws {
        try await HandlerStage.run { stage in
            let acme = try Self.makeAccount(stage, #","limits":{"messages":4,"documents":2}"#)
            try stage.makeTenant("shop", by: acme, #","limits":{"messages":1000000}"#)
            let now = RFC3339.text(SystemClock.nowMicroseconds())
            try Self.log(stage, [now, now, now, now, now], by: acme)
            let document = #"{"documents":[{"external_id":"a","title":"t","media_type":"text/plain","content":"x"}]}"#
            #expect(try stage.ask("corpus.ingest", document, tenant: "shop", by: acme).status == .succeeded)
            try stage.withDatabase { try PoolSweep.sweep(account: "acme", on: &$0) }
            let pool = try Self.view(stage)
            let messages = try #require(Self.value(pool))
            #expect(messages.value == 5 && messages.limit == 4 && messages.mode == .soft && messages.projection >= 5)
            #expect(messages.reachedAt != nil, "its alert is written")
            let documents = try #require(Self.value(pool, .documents))
            #expect(documents.value == 1 && documents.limit == 2 && documents.mode == .hard && documents.projection == 1)
            #expect(documents.reachedAt == nil && !pool.history.contains { $0.metric == .documents })
            #expect(pool.tenants.contains(.init(tenant: "shop", metric: .documents, value: 1, share: 1)))
            let tokens = try #require(Self.value(pool, .tokens))
            #expect(tokens.limit == nil && tokens.mode == nil && tokens.reachedAt == nil)
            let own = try #require(Self.value(try Self.view(stage, tenant: "shop")))
            #expect(own.limit == 1_000_000 && own.mode == .soft)
            let past = try Self.view(stage, month: "2024-05")
            #expect(Self.value(past, .documents) == nil && past.history.count == 31 * 4 && Self.value(past)?.value == 0)
            let json = UsageView.representation.json(pool)
            for name in [
                "account", "tenant", "period", "period_start", "period_end", "timezone", "metrics", "history", "tenants",
            ] {
                #expect(json[name] != nil, "\(name)")
            }
        }
    }

    @Test(
        "What comes late after a roll-up is in its own day at once, a roll-up changes nothing, and what a purged tenant used stays"
    )
    func lateArrival() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus")
        for tenant in ["shop", "gone"] {
            try fleet.makeTenant(tenant, token: account)
            try fleet.logMessages(2, tenant: tenant, token: account)
        }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        func view(_ tenant: String?, _ bucket: UsageReport.Bucket) throws -> UsageView {
            try #require(
                try fleet.database.transaction(mode: UsageView.transactionMode) {
                    (database: inout Transaction) throws(PostgresError) in
                    try UsageView.read(account: "acme", tenant: tenant, by: bucket, withShares: true, on: &database)
                })
        }
        func read() throws -> [[String]] {
            var found: [[String]] = []
            for bucket in UsageReport.Bucket.allCases {
                for tenant in [nil, "shop"] as [String?] {
                    let view = try view(tenant, bucket)
                    for metric in [Metric.messages, .conversations, .tokens] where bucket != .month {
                        #expect(Self.sum(view, metric) == Self.value(view, metric)?.value, "\(bucket) \(metric)")
                    }
                    found.append(
                        Self.busy(view) + Self.busy(view, .activeUsers) + view.metrics.map { "\($0.metric) \($0.value)" })
                }
            }
            return found
        }
        let start = try view(nil, .day).period.start
        try fleet.logMessages(1, tenant: "shop", token: account, sentAt: start.rfc3339)
        try fleet.logMessages(3, tenant: "shop", token: account)
        let atOnce = try read()
        for days in [atOnce[2], atOnce[3]] { #expect(days.first?.hasPrefix(start.rfc3339) == true, "\(days)") }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).result?["corrections"] == 0)
        #expect(try read() == atOnce)
        #expect(try fleet.unequalHistory(tenants: ["shop", "gone"]) == [])
        #expect(try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "gone", token: account).status == .succeeded)
        let left = try read()
        for index in [0, 2, 4] { #expect(left[index].contains("messages 8") && left[index].first == atOnce[index].first) }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded)
        #expect(try read() == left)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
