internal import AMQP
internal import Contract
internal import Families
internal import Fleet
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@Suite("Closing a period", .serialized) struct BillingCloseTests {
    @Test("it is closed once: another job, and two at a time, get the same invoices, and one set of them is made")
    func once() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", #","billing_mode":"separate""#)])
        try stage.use("shop-a", "2024-02", messages: 1_500)
        try stage.use("shop-b", "2024-02", messages: 500)
        // Two workers find all of them at once.
        await stage.fleet.stop()
        let ids = (0..<4).map { "close-\($0)" }
        for id in ids { try stage.fleet.send("billing.close", #"{"period":"2024-02"}"#, token: stage.token, id: id) }
        for _ in 0..<2 { try stage.fleet.startWorker({ $0.lanes[.usage] = 2 }) }
        let results = try ids.map { try stage.fleet.answer(to: $0).result }
        let first = try #require(results.first ?? nil)
        #expect(results.allSatisfy { $0 == first })
        #expect(
            first == [
                "account": "acme", "accounts": 1, "invoice_count": 2, "skipped": 0,
                "invoices": [
                    ["invoice": "acme.2024-02", "account": "acme", "total": 10_150, "currency": "EUR"],
                    ["invoice": "acme.shop-b.2024-02", "account": "acme", "tenant": "shop-b", "total": 50, "currency": "EUR"],
                ],
            ])
        // Nothing that happens later changes them.
        try stage.use("shop-a", "2024-02", messages: 5_000)
        try #expect(stage.close("2024-02").result == first)
        let again = try stage.close("2024-02", id: "close-0")
        #expect(again.duplicate && again.result == first)
        try #expect(stage.fleet.number("select count(*) from tenantry.invoices") == 2)
        try #expect(stage.fleet.number("select count(*) from tenantry.invoice_lines") == 3)
        await stage.fleet.stop()
    }

    @Test("each invoice is told of once, under its account's and tenant's key")
    func events() async throws {
        let stage = try await BillingStage([("shop-b", #","billing_mode":"separate""#)])
        _ = try stage.fleet.broker.declareQueue("told")
        try stage.fleet.broker.bindQueue("told", exchange: Topology.eventsExchange, routingKey: "invoice.#")
        try stage.use("shop-b", "2024-02", messages: 500)
        try stage.invoices("2024-02")
        try stage.invoices("2024-02")
        var told: [String: JSONValue] = [:]
        try await eventually("both are told of") {
            while let message = try stage.fleet.broker.get("told") {
                told[message.routingKey] = try JSONValue(parsing: Array(message.body))
            }
            return told.count == 2
        }
        #expect(told["invoice.created.acme"]?["invoice"] == "acme.2024-02")
        let tenant = try #require(told["invoice.created.acme.shop-b"])
        #expect(
            tenant["tenant"] == "shop-b" && tenant["total"] == 0 && tenant["currency"] == "EUR" && tenant["period"] == "2024-02")
        #expect(tenant["period_start"] == "2024-02-01T00:00:00.000Z" && tenant["period_end"] == "2024-03-01T00:00:00.000Z")
        await stage.fleet.stop()
    }

    @Test("a period that is not over, or was over before there was the account, is refused, and says when it ends")
    func unfinished() async throws {
        let stage = try await BillingStage([])
        let running = try #require(
            try stage.fleet.texts("select to_char(now() at time zone 'UTC', 'YYYY-MM')").first)
        let end = try #require(
            try stage.fleet.texts(
                "select to_char(date_trunc('month', now() at time zone 'UTC') + interval '1 month', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
            ).first)
        for month in [running, "2999-12"] {
            let answer = try stage.close(month)
            #expect(answer.error?.code == .invalidPayload && answer.error?.field == "/period")
            if month == running { #expect(answer.error?.message.contains(end) == true, "\(answer)") }
            let all = try stage.close(month, token: stage.fleet.operatorToken)
            #expect(all.error?.code == .invalidPayload && all.error?.field == "/period", "\(all)")
        }
        let before = try stage.close("2022-12")
        #expect(before.error?.code == .invalidPayload && before.error?.field == "/period")
        #expect(before.error?.message.contains("before account acme was created") == true)
        // The month in which it was made is its first.
        try #expect(stage.invoices("2023-01") == ["acme.2023-01 10000 EUR"])
        try #expect(stage.fleet.number("select count(*) from tenantry.invoices") == 1)
        await stage.fleet.stop()
    }

    @Test("a period is the one that starts in the month, in the account's zone and from its anchor day")
    func zones() async throws {
        let stage = try await BillingStage([("shop-a", "")], account: #","timezone":"Pacific/Auckland","billing_anchor_day":31"#)
        try stage.invoices("2024-02")
        try #expect(
            stage.fleet.texts("select period_start || ' ' || period_end from tenantry.invoices") == [
                "2024-02-28 11:00:00+00 2024-03-30 11:00:00+00"
            ])
        await stage.fleet.stop()
    }

    @Test("an account closes its own periods and no other's; an operator anyone's, or everyone's at once")
    func whose() async throws {
        let stage = try await BillingStage([("shop-a", "")])
        let other = try stage.makeAccount("globex", plan: "volume")
        let foreign = try stage.close("2024-02", token: other, more: #","account":"acme""#)
        #expect(foreign.error?.code == .forbidden && foreign.error?.field == "/account")
        try #expect(stage.invoices("2024-02", token: other, more: #","account":"globex""#) == ["globex.2024-02 10000 EUR"])
        let unknown = try stage.close("2024-02", token: stage.fleet.operatorToken, more: #","account":"nobody""#)
        #expect(unknown.error?.code == .accountUnknown && unknown.error?.field == "/account")
        try #expect(
            stage.invoices("2024-03", token: stage.fleet.operatorToken, more: #","account":"acme""#) == ["acme.2024-03 10000 EUR"]
        )

        // One account is too young, and what is closed already counts in.
        _ = try stage.fleet.makeAccount("newcomer", plan: "volume")
        let all = try stage.close("2024-02", token: stage.fleet.operatorToken)
        #expect(all.result?["accounts"] == 2 && all.result?["invoice_count"] == 2 && all.result?["skipped"] == 1, "\(all)")
        try #expect(
            stage.invoices("2024-02", token: stage.fleet.operatorToken) == ["acme.2024-02 10000 EUR", "globex.2024-02 10000 EUR"])
        await stage.fleet.stop()
    }

    @Test("an account and a tenant of the same slug have invoices of their own")
    func sameSlug() async throws {
        let stage = try await BillingStage([
            ("acme", #","billing_mode":"separate""#), ("acme-acme", #","billing_mode":"separate""#),
        ])
        for tenant in ["acme", "acme-acme"] { try stage.use(tenant, "2024-02", messages: 1) }
        try #expect(
            stage.invoices("2024-02").map { $0.prefix { $0 != " " } } == [
                "acme.2024-02", "acme.acme.2024-02", "acme.acme-acme.2024-02",
            ])
        await stage.fleet.stop()
    }

    @Test("an amount beyond all bounds is a rejection, and leaves nothing")
    func overflow() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", "")])
        for tenant in ["shop-a", "shop-b"] { try stage.use(tenant, "2024-02", messages: .max) }
        let answer = try stage.close("2024-02")
        #expect(answer.error?.code == .conflict)
        try #expect(stage.fleet.number("select count(*) from tenantry.invoices") == 0)
        await stage.fleet.stop()
    }

    @Test(
        "an account that cannot be closed does not keep the others from it; each that was closed has a row of its own in the audit log"
    )
    func failed() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", "")])
        for account in ["bravo", "zulu"] { _ = try stage.makeAccount(account, plan: "volume") }
        for tenant in ["shop-a", "shop-b"] { try stage.use(tenant, "2024-02", messages: .max) }
        for id in ["first", "second"] {
            let answer = try stage.close("2024-02", token: stage.fleet.operatorToken, id: id)
            #expect(answer.result?["accounts"] == 2 && answer.result?["invoice_count"] == 2, "\(answer)")
            guard case .array(let failed)? = answer.result?["failed"] else { throw TestFailure("\(answer)") }
            #expect(failed.map { $0["account"] } == ["acme"] && failed[0]["error"]?["code"] == "conflict")
        }
        try #expect(stage.fleet.texts("select id from tenantry.invoices order by id") == ["bravo.2024-02", "zulu.2024-02"])
        try #expect(
            stage.fleet.texts(
                "select account || ' ' || job_id from tenantry.audit_log where kind = 'billing.close' and account <> '' order by 1"
            ) == [
                "bravo first", "zulu first",
            ])
        await stage.fleet.stop()
    }

    @Test(
        "an account, its tenants' plans and modes are billed as they were when the period ended, however often they change later")
    func terms() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", #","billing_mode":"separate","plan":"solo""#)])
        try stage.use("shop-a", "2024-02", messages: 1_500)
        try stage.use("shop-b", "2024-02", messages: 15)
        // What a plan was in between does not count, only what it was at the end.
        try stage.change(at: "2024-02-03T00:00:00Z", "update tenantry.accounts set plan = 'dollars'")
        try stage.change(at: "2024-02-20T00:00:00Z", "update tenantry.accounts set plan = 'graduated'")
        // Since then, by jobs: neither counts for February.
        for body in [#"{"account":"acme","plan":"volume"}"#, #"{"account":"acme","plan":"free"}"#] {
            try #expect(stage.fleet.ask("account.update", body, token: stage.fleet.operatorToken).status == .succeeded)
        }
        for (tenant, body) in [
            ("shop-b", #"{"billing_mode":"consolidated","plan":null}"#),
            ("shop-a", #"{"billing_mode":"separate","plan":"solo"}"#),
        ] {
            try #expect(stage.fleet.ask("tenant.update", body, tenant: tenant, token: stage.token).status == .succeeded)
        }
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10100 EUR", "acme.shop-b.2024-02 3025 EUR"])
        try #expect(stage.fleet.texts("select plan from tenantry.invoices order by id") == ["graduated", "solo"])
        // A plan that is no longer used, nor named, is there for what is still to be billed by it.
        let removed = try Plan.apply(BillingStage.plans.filter { $0.name != "dollars" }, on: &stage.fleet.database)
        #expect(!removed.contains("dollars"))
        await stage.fleet.stop()
    }

    @Test(
        "what is not sent says why; what waits for Stripe is the invoices of tenants with a Stripe account, where there is a key")
    func notes() async throws {
        let stripe = #","billing_mode":"separate","stripe_account":"acct_1""#
        let stage = try await BillingStage(
            [
                ("shop-a", #","billing_mode":"separate""#), ("shop-b", stripe), ("shop-c", stripe),
                ("shop-d", #","billing_mode":"separate","stripe_account":"acct_strange""#),
            ])
        try stage.fleet.database.run(
            script: "insert into tenantry.stripe_grants (stripe_account, account, granted_by) values ('acct_1', 'acme', 'a test')"
        )
        for tenant in ["shop-a", "shop-b", "shop-d"] { try stage.use(tenant, "2024-02", messages: 5_000) }
        try stage.use("shop-c", "2024-02", conversations: 1)
        try stage.invoices("2024-02")
        try #expect(
            stage.fleet.texts("select delivery || ' ' || note from tenantry.invoices order by tenant nulls first") == [
                "none not sent: only tenants that are billed separately are invoiced through Stripe",
                "none not sent: the tenant has no stripe_account", "none not sent: there is no Stripe key (TENANTRY_STRIPE_KEY)",
                "none not sent: it comes to 0",
                "none not sent: the tenant's stripe_account is not granted to its account (tenantry account grant-stripe)",
            ])
        await stage.fleet.stop()
        try stage.fleet.startWorker(serve: { $0.sendsInvoices = true })
        for tenant in ["shop-a", "shop-b"] { try stage.use(tenant, "2024-03", messages: 5_000) }
        try stage.invoices("2024-03")
        try #expect(
            stage.fleet.texts("select id from tenantry.invoices where delivery = 'pending' and note is null") == [
                "acme.shop-b.2024-03"
            ])
        await stage.fleet.stop()
    }
}
