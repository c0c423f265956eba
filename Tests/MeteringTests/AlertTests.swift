internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

/// Alerts from the job that crosses a threshold to the message at a subscriber.
@Suite(.serialized) struct AlertTests {
    @Test("Every threshold that a tenant and its pool cross is one row and one message, exactly as the contract says")
    func everyThreshold() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount(
            "acme", plan: "enterprise-plus", #","limits":{"messages":40},"timezone":"Europe/Berlin","billing_anchor_day":15"#)
        try fleet.makeTenant("shop", token: account, #","limits":{"messages":20}"#)
        try fleet.makeTenant("blog", token: account)
        var expected: [String] = []
        func crossed(_ subject: String, _ percents: [Int]) {
            expected += percents.map { "\($0 < 100 ? "warning" : "breached") messages acme/\(subject) \($0)" }
        }

        try fleet.logMessages(9, tenant: "shop", token: account)
        #expect(try await inbox.take(fleet) == [])
        try fleet.logMessages(1, tenant: "shop", token: account)
        crossed("shop", [50])
        #expect(try await inbox.take(fleet) == expected)
        try fleet.logMessages(9, tenant: "shop", token: account)
        crossed("shop", [75, 80, 90])
        try await inbox.settle(fleet)
        #expect(inbox.messages.map(\.event.data.previousValue) == [10, 10, 10])
        #expect(inbox.messages.map(\.event.data.value) == [19, 19, 19])
        #expect(inbox.messages.map(\.event.data.thresholdPercent) == [75, 80, 90], "in ascending order")
        try fleet.logMessages(1, tenant: "shop", token: account)
        crossed("shop", [100])
        crossed("_pool", [50])
        try await inbox.settle(fleet)
        let breach = try #require(inbox.messages.first { $0.event.state == .breached })
        try expectContract(breach, fleet)
        let pool = try #require(inbox.messages.first { $0.event.data.tenant == nil })
        #expect(pool.routingKey == "limit.warning.messages.acme._pool")
        #expect(pool.event.subject == "accounts/acme" && pool.event.data.scope == "pool")
        #expect(pool.event.data.limit == 40 && pool.event.data.value == 20 && pool.event.data.previousValue == 19)
        #expect(pool.event.data.topTenants == [.init(tenant: "shop", value: 20)])

        try fleet.logMessages(41, tenant: "shop", token: account)
        try fleet.logMessages(19, tenant: "blog", token: account)
        crossed("shop", [300])
        crossed("_pool", [75, 80, 90, 100, 200])
        try await inbox.settle(fleet)
        let last = try #require(inbox.messages.first { $0.event.data.tenant == nil && $0.event.data.thresholdPercent == 200 })
        #expect(last.event.data.topTenants == [.init(tenant: "shop", value: 61), .init(tenant: "blog", value: 19)])
        let highest = try #require(inbox.messages.first { $0.event.data.thresholdPercent == 300 })
        #expect(highest.event.data.alsoCrossed == 1, "200 % goes with it")
        #expect(try fleet.alertRows() == expected.sorted())
        #expect(try fleet.number("select count(*) from tenantry.alerts where published_at is null") == 0)
        await fleet.stop()
    }

    /// Field by field, as JSON rather than as our own type.
    private func expectContract(_ message: AlertInbox.Message, _ fleet: TestFleet) throws {
        #expect(message.routingKey == "limit.breached.messages.acme.shop")
        #expect(message.properties.contentType == "application/cloudevents+json")
        #expect(message.properties.type == "tenantry.limit.breached")
        #expect(message.properties.deliveryMode == .persistent)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
        #expect(Set(body.keys) == ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"])
        #expect(body["specversion"] as? String == "1.0")
        #expect(body["id"] as? String == message.properties.messageID)
        #expect(
            try fleet.number(
                "select count(*) from tenantry.alerts where id = '\(message.event.id)' and event = '\(String(decoding: message.body, as: UTF8.self))'"
            ) == 1)
        #expect(body["source"] as? String == "/tenantry/accounts/acme")
        #expect(body["type"] as? String == "tenantry.limit.breached")
        #expect(body["subject"] as? String == "tenants/shop")
        #expect(body["datacontenttype"] as? String == "application/json")
        let time = try #require(Timestamp(rfc3339: body["time"] as? String ?? ""))
        #expect(abs(time.microsecondsSince1970 - SystemClock.nowMicroseconds()) < 600_000_000)
        let data = try #require(body["data"] as? [String: Any])
        #expect(
            Set(data.keys) == [
                "account", "tenant", "scope", "metric", "mode", "limit", "value", "previous_value", "threshold_percent",
                "also_crossed",
                "plan", "period_start", "period_end", "timezone", "top_tenants",
            ])
        #expect(data["account"] as? String == "acme")
        #expect(data["tenant"] as? String == "shop")
        #expect(data["scope"] as? String == "tenant")
        #expect(data["metric"] as? String == "messages")
        #expect(data["mode"] as? String == "soft")
        #expect(data["limit"] as? Int == 20)
        #expect(data["value"] as? Int == 20)
        #expect(data["previous_value"] as? Int == 19)
        #expect(data["threshold_percent"] as? Int == 100)
        #expect(data["also_crossed"] as? Int == 0)
        #expect(data["plan"] as? String == "enterprise-plus")
        #expect(data["timezone"] as? String == "Europe/Berlin")
        let top = try #require(data["top_tenants"] as? [[String: Any]])
        #expect(top.count == 1 && top.first?["tenant"] as? String == "shop" && top.first?["value"] as? Int == 20)
        for (key, column) in [("period_start", "period_start"), ("period_end", "period_end")] {
            let moment = try #require(Timestamp(rfc3339: data[key] as? String ?? ""))
            let expected = try fleet.database.query(
                Statement("select \(column) from tenantry.current_usage where tenant = 'shop' and metric = 'messages'")
            ).timestamp(0, 0)
            #expect(moment == expected, "\(key)")
        }
    }

    @Test("Lanes and workers that cross at once make exactly one alert of each threshold")
    func concurrently() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"messages":300,"conversations":300}"#)
        for slug in ["one", "two"] { try fleet.makeTenant(slug, token: account, #","limits":{"messages":50,"active_users":10}"#) }
        await fleet.stop()
        for index in 0..<300 {
            let body = TestFleet.log(["\(index)"], conversation: "c\(index)", user: "u\(index)")
            try fleet.send("conversation.log", body, tenant: index.isMultiple(of: 3) ? "one" : "two", token: account) {
                $0.replyTo = nil
            }
        }
        for _ in 0..<2 {
            try fleet.startWorker {
                $0.lanes[.conversation] = 3
                $0.batchLimit = 4
            }
        }
        try await eventually("all is logged") {
            try fleet.number("select sum(messages)::int8 from tenantry.tenant_usage") == 300
        }
        var expected: [String] = []
        func crossed(_ metric: String, _ subject: String, upTo most: Int) {
            let percents = [50, 75, 80, 90, 100] + (2...20).map { $0 * 100 }
            expected += percents.filter { $0 <= most }.map {
                "\($0 < 100 ? "warning" : "breached") \(metric) acme/\(subject) \($0)"
            }
        }
        crossed("messages", "one", upTo: 200)
        crossed("messages", "two", upTo: 400)
        crossed("active_users", "one", upTo: 1_000)
        crossed("active_users", "two", upTo: 2_000)
        crossed("messages", "_pool", upTo: 100)
        // A pool is brought up to date for many jobs at once, and of further hundreds tells of the highest alone.
        crossed("conversations", "_pool", upTo: 100)
        #expect(try await inbox.take(fleet) == expected.sorted())
        #expect(try fleet.alertRows() == expected.sorted())
        await fleet.stop()
    }

    @Test("A raised limit resolves once, a lowered one fires nothing twice, and a change of plan is measured at once")
    func changedLimits() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"messages":10}"#)
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(8, tenant: "shop", token: account)
        #expect(
            try await inbox.take(fleet) == [
                "warning messages acme/_pool 50", "warning messages acme/_pool 75", "warning messages acme/_pool 80",
            ])
        // 8 of 14 is 57 %.
        try fleet.update("acme", #""limits":{"messages":14}"#)
        try await inbox.settle(fleet)
        #expect(
            inbox.messages.allSatisfy {
                $0.event.data.limit == 14 && $0.event.data.value == 8 && $0.event.data.previousValue == 8
            })
        #expect(inbox.messages.map(\.routingKey) == ["limit.resolved.messages.acme._pool", "limit.resolved.messages.acme._pool"])
        #expect(try await inbox.take(fleet) == ["resolved messages acme/_pool 75", "resolved messages acme/_pool 80"])
        try fleet.update("acme", #""limits":{"messages":10}"#)
        #expect(try await inbox.take(fleet) == [], "each threshold once a period")
        try fleet.update("acme", #""limits":{"messages":8}"#)
        #expect(try await inbox.take(fleet) == ["breached messages acme/_pool 100", "warning messages acme/_pool 90"])
        try fleet.update("acme", #""limits":{"messages":null}"#)
        try await inbox.settle(fleet)
        #expect(inbox.messages.allSatisfy { $0.event.data.limit == nil })
        #expect(
            try await inbox.take(fleet) == [
                "resolved messages acme/_pool 100", "resolved messages acme/_pool 50", "resolved messages acme/_pool 90",
            ])
        try fleet.update("acme", #""limits":{"messages":8}"#)
        #expect(try await inbox.take(fleet) == [])
        // Without limits of its own, on a plan of five.
        try fleet.update("acme", #""limits":null,"plan":"small""#)
        #expect(try await inbox.take(fleet) == [], "all that 8 of 5 crosses has been told")
        await fleet.stop()
    }

    @Test("A plan that is changed by account.update alerts at once")
    func changedPlan() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        for slug in ["a1", "a2"] { try fleet.makeTenant(slug, token: account) }
        try fleet.logMessages(4, tenant: "a1", token: account)
        #expect(try await inbox.take(fleet) == [])
        try fleet.update("acme", #""plan":"small""#)
        try await inbox.settle(fleet)
        #expect(inbox.messages.allSatisfy { $0.event.data.plan == "small" && $0.event.data.mode == .hard })
        #expect(try await inbox.take(fleet) == ["warning child_tenants acme/_pool 50", "warning messages acme/_pool 50"])
        try fleet.update("acme", #""plan":"enterprise""#)
        #expect(try await inbox.take(fleet) == ["resolved child_tenants acme/_pool 50", "resolved messages acme/_pool 50"])
        await fleet.stop()
    }

    @Test("Gauges alert, resolve when they go down, and are told again in another period")
    func gauges() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"child_tenants":2,"documents":4}"#)
        try fleet.makeTenant("shop", token: account, #","limits":{"documents":2,"corpus_bytes":10}"#)
        #expect(try await inbox.take(fleet) == ["warning child_tenants acme/_pool 50"])
        func ingest(_ id: String) throws {
            let document = #"{"external_id":"\#(id)","title":"t","media_type":"text/plain","content":"12\#(id)"}"#
            let answer = try fleet.ask("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: "shop", token: account)
            #expect(answer.status == .succeeded, "\(answer)")
        }
        try ingest("a")
        #expect(try await inbox.take(fleet) == ["warning documents acme/shop 50"])
        try ingest("b")
        #expect(
            try await inbox.take(fleet) == [
                "breached documents acme/shop 100", "warning corpus_bytes acme/shop 50", "warning documents acme/_pool 50",
                "warning documents acme/shop 75", "warning documents acme/shop 80", "warning documents acme/shop 90",
            ])
        let removed = try fleet.ask("corpus.remove", #"{"external_ids":["a","b"]}"#, tenant: "shop", token: account)
        #expect(removed.status == .succeeded)
        #expect(
            try await inbox.take(fleet) == [
                "resolved corpus_bytes acme/shop 50", "resolved documents acme/_pool 50", "resolved documents acme/shop 100",
                "resolved documents acme/shop 50", "resolved documents acme/shop 75", "resolved documents acme/shop 80",
                "resolved documents acme/shop 90",
            ])
        try ingest("c")
        #expect(try await inbox.take(fleet) == [], "once a period")
        // As if all that had been last month.
        try fleet.database.run(
            script:
                "update tenantry.alerts set period_start = period_start - interval '40 days', period_end = period_end - interval '40 days'"
        )
        try ingest("d")
        #expect(
            try await inbox.take(fleet).filter { $0.contains("documents acme/shop") } == [
                "breached documents acme/shop 100", "warning documents acme/shop 50", "warning documents acme/shop 75",
                "warning documents acme/shop 80", "warning documents acme/shop 90",
            ])
        try fleet.makeTenant("blog", token: account)
        #expect(
            try await inbox.take(fleet) == [
                "breached child_tenants acme/_pool 100", "warning child_tenants acme/_pool 75",
                "warning child_tenants acme/_pool 80",
                "warning child_tenants acme/_pool 90",
            ], "a level that stands since an earlier period is not told again")
        await fleet.stop()
    }

    @Test(
        "A job of forty past months and a thousand million tokens each is booked once, and makes no more alerts than there are thresholds"
    )
    func flood() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"tokens":1000}"#)
        try fleet.makeTenant("shop", token: account, #","limits":{"tokens":1000}"#)
        let months = (0..<40).map { "\(2022 + $0 / 12)-\($0 % 12 < 9 ? "0" : "")\($0 % 12 + 1)-15T12:00:00Z" }
        let messages = months.map { #"{"id":"\#($0)","role":"user","content":"x","sent_at":"\#($0)","tokens_in":1000000000}"# }
        let body = #"{"conversation_id":"c","messages":[\#(messages.joined(separator: ","))]}"#
        #expect(try fleet.ask("conversation.log", body, tenant: "shop", token: account).status == .succeeded)
        try await inbox.settle(fleet)
        let ofTokens = inbox.messages.filter { $0.event.data.metric == .tokens }
        for tenant in ["shop", nil] {
            let alerts = ofTokens.filter { $0.event.data.tenant == tenant }
            #expect(alerts.count == 6, "50, 75, 80, 90, 100 %, and the highest of the hundreds")
            #expect(alerts.allSatisfy { ($0.event.data.thresholdPercent > 100) == ($0.event.data.alsoCrossed > 0) })
            #expect(alerts.allSatisfy { $0.event.data.value == 40_000_000_000 })
        }
        // Nothing is uncounted, and there is no period before the account's first.
        #expect(try fleet.texts("select tokens::text from tenantry.tenant_usage where tokens > 0") == ["40000000000"])
        #expect(
            try fleet.number("select value from tenantry.current_usage where tenant = 'shop' and metric = 'tokens'")
                == 40_000_000_000)
        await fleet.stop()
    }

    @Test("Events count in the period of their own time, and a new period starts clean")
    func periods() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeOldAccount("acme", plan: "enterprise-plus", #","limits":{"messages":10}"#)
        try fleet.makeTenant("shop", token: account, #","limits":{"messages":10}"#)
        let start = try fleet.database.query(
            "select period_start from tenantry.current_usage where tenant = 'shop' and metric = 'messages'"
        ).timestamp(0, 0)
        let before = Timestamp(microsecondsSince1970: start.microsecondsSince1970 - 1).rfc3339
        try fleet.logMessages(6, tenant: "shop", token: account, sentAt: before)
        try fleet.logMessages(5, tenant: "shop", token: account, sentAt: start.rfc3339)
        try await inbox.settle(fleet)
        #expect(
            inbox.messages.map(\.summary).sorted() == [
                "warning messages acme/_pool 50", "warning messages acme/_pool 50", "warning messages acme/shop 50",
                "warning messages acme/shop 50",
            ])
        #expect(Set(inbox.messages.compactMap(\.event.data.periodStart)).count == 2)
        let values = try fleet.texts(
            "select messages::text from tenantry.tenant_usage where tenant = 'shop' and messages > 0 order by period_start")
        #expect(values == ["6", "5"])
        #expect(
            try fleet.texts("select messages::text from tenantry.account_usage where messages > 0 order by period_start") == [
                "6", "5",
            ])
        #expect(try fleet.number("select value from tenantry.current_usage where tenant = 'shop' and metric = 'messages'") == 5)
        await fleet.stop()
    }

    @Test("What comes after its period was closed is booked in the open one")
    func closedPeriod() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.database.run(
            script: """
                update tenantry.accounts a set closed_through = p.period_start
                from tenantry.period(now(), 'UTC', 1) p where a.slug = 'acme'
                """)
        try fleet.makeTenant("shop", token: account)
        try fleet.logMessages(3, tenant: "shop", token: account, sentAt: "2020-05-05T05:05:05Z")
        #expect(try fleet.number("select count(*) from tenantry.tenant_usage where tenant = 'shop' and messages > 0") == 1)
        #expect(try fleet.number("select value from tenantry.current_usage where tenant = 'shop' and metric = 'messages'") == 3)
        #expect(
            try fleet.number("select count(*) from tenant_shop.messages where sent_at = '2020-05-05T05:05:05Z'") == 3,
            "the time stays its own")
        // The recount agrees, and the hour of the roll-up is the message's own.
        let answer = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(answer.result?["corrections"] == 0)
        #expect(try fleet.number("select value from tenantry.current_usage where tenant = 'shop' and metric = 'messages'") == 3)
        await fleet.stop()
    }

    @Test("A replay sends the same alerts again under the same ids")
    func replay() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let inbox = try AlertInbox(fleet)
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"messages":10}"#)
        let stranger = try fleet.makeAccount("else", plan: "enterprise-plus", #","limits":{"messages":10}"#)
        for (slug, token) in [("shop", account), ("blog", stranger)] {
            try fleet.makeTenant(slug, token: token)
            try fleet.logMessages(10, tenant: slug, token: token)
        }
        try await inbox.settle(fleet)
        let first = inbox.messages.map { "\($0.event.id) \($0.routingKey) \($0.body)" }
        #expect(first.count == 10)
        let count = try AlertReplay.run(since: .distantPast, account: "acme", on: &fleet.database)
        #expect(count == 5)
        try await eventually("the replay has come") {
            try inbox.receive()
            return inbox.messages.count >= 15
        }
        let again = inbox.messages.dropFirst(10).map { "\($0.event.id) \($0.routingKey) \($0.body)" }
        #expect(again == first.filter { $0.contains(".acme.") }, "unchanged, oldest first")
        #expect(try AlertReplay.run(since: .distantFuture, account: nil, on: &fleet.database) == 0)
        try await inbox.settle(fleet)
        #expect(try fleet.number("select count(*) from tenantry.alerts") == 10)
        await fleet.stop()
    }
}
