internal import Contract
internal import TestSupport
internal import Testing

@Suite("What came after its period was closed", .serialized) struct AdjustmentTests {
    @Test("late usage is billed with the next period, at its own period's price and tier, and not as that period's")
    func late() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", "")])
        try stage.use("shop-a", "2024-02", messages: 1_200)
        try stage.use("shop-b", "2024-02", messages: 700)
        // 900 × 0.2 = 180, by 12 : 7 that is 113.68 and 66.32.
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10180 EUR"])
        // March: 300 of its own, and 250 that should have been February's.
        try stage.use("shop-a", "2024-03", messages: 300)
        try stage.late("shop-a", booked: "2024-03", own: "2024-02", messages: 50)
        try stage.late("shop-b", booked: "2024-03", own: "2024-02", messages: 200, tokens: 1_000)
        // February: 1,900 → 1,950 is 180 → 190; → 2,150 crosses the tier: 200 + 150 × 0.15 = 222.5, so 223.
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10044 EUR"])
        try #expect(
            stage.lines("acme.2024-03") == [
                "base 1 10000", "usage shop-a messages 300 0", "adjustment shop-a messages 2024-02 50 10",
                "adjustment shop-b messages 2024-02 200 33", "adjustment shop-b tokens 2024-02 1000 1",
            ])
        // And that was that.
        try #expect(stage.invoices("2024-04") == ["acme.2024-04 10000 EUR"])
        try #expect(stage.lines("acme.2024-02").count == 3)
        await stage.fleet.stop()
    }

    @Test("a message that is logged after its period was closed is counted in the next one, and billed as what it is")
    func loggedLate() async throws {
        let stage = try await BillingStage([("shop-a", "")])
        let (closed, open) = (try month(stage, ago: 2), try month(stage, ago: 1))
        try stage.use("shop-a", closed, messages: 1_999)
        // 999 × 0.2 = 199.8.
        try #expect(stage.invoices(closed) == ["acme.\(closed) 10200 EUR"])
        let messages = ["m1", "m2", "m2"].map {
            #"{"id":"\#($0)","role":"user","content":"late","sent_at":"\#(closed)-27T09:30:00Z","tokens_in":500}"#
        }
        let body = #"{"conversation_id":"c","messages":[\#(messages.joined(separator: ","))]}"#
        for _ in 0..<2 {
            try #expect(stage.fleet.ask("conversation.log", body, tenant: "shop-a", token: stage.token).status == .succeeded)
        }
        let counted =
            "select messages from tenantry.tenant_usage where tenant = 'shop-a' and period_start = '\(open)-01T00:00:00Z'"
        try #expect(stage.fleet.number(counted) == 2)
        // 2,001 messages are one past the tier: 200 + 0.15, still 200. A cent for a thousand tokens. A conversation has no price.
        try #expect(stage.invoices(open) == ["acme.\(open) 10001 EUR"])
        try #expect(
            stage.lines("acme.\(open)") == [
                "base 1 10000", "usage shop-a conversations 1 0", "adjustment shop-a messages \(closed) 2 0",
                "adjustment shop-a tokens \(closed) 1000 1",
            ])
        await stage.fleet.stop()
    }

    private func month(_ stage: BillingStage, ago months: Int) throws -> String {
        try stage.fleet.texts(
            "select to_char(date_trunc('month', now() at time zone 'UTC') - interval '\(months) months', 'YYYY-MM')")[0]
    }

    @Test("a batch that was under way when its period was closed, and a correction downwards, are made up for at the next close")
    func races() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", "")])
        try stage.use("shop-a", "2024-02", messages: 1_500, conversations: 4)
        try stage.invoices("2024-02")
        try stage.use("shop-a", "2024-02", messages: -600, conversations: 1)
        try stage.use("shop-b", "2024-02", messages: 300)
        // 1,500 → 900: 100 → 0, then → 1,200: 40. By slug: −100, +40.
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 9940 EUR"])
        try #expect(
            stage.lines("acme.2024-03") == [
                "base 1 10000", "adjustment shop-a messages 2024-02 -600 -100", "adjustment shop-a conversations 2024-02 1 0",
                "adjustment shop-b messages 2024-02 300 40",
            ])
        await stage.fleet.stop()
    }

    @Test("late usage of a period without an invoice waits for it, and months may be closed in any order")
    func outOfOrder() async throws {
        let stage = try await BillingStage([("shop-a", "")])
        try stage.use("shop-a", "2024-02", messages: 1_100)
        try stage.use("shop-a", "2024-04", messages: 2_000)
        // Booked in April, sent in February: neither is closed.
        try stage.late("shop-a", booked: "2024-04", own: "2024-02", messages: 400)
        try #expect(stage.invoices("2024-04") == ["acme.2024-04 10200 EUR"])
        try #expect(stage.lines("acme.2024-04") == ["base 1 10000", "usage shop-a messages 2000 200"])
        // February has all 1,500 from the start: 500 × 0.2.
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10100 EUR"])
        try #expect(stage.lines("acme.2024-02") == ["base 1 10000", "usage shop-a messages 1500 100"])
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10000 EUR"])
        try #expect(
            stage.fleet.texts("select closed_through::text from tenantry.accounts") == ["2024-05-01 00:00:00+00"],
            "never backwards")
        try #expect(stage.invoices("2024-05") == ["acme.2024-05 10000 EUR"])
        await stage.fleet.stop()
    }

    @Test("late usage from before there was the account is billed with the period that counted it, for its own is never closed")
    func beforeTheAccount() async throws {
        let stage = try await BillingStage([("shop-a", "")])
        try stage.run("update tenantry.accounts set created_at = '2024-02-10T00:00:00Z'")
        try stage.use("shop-a", "2024-02", messages: 1_000)
        try stage.invoices("2024-02")
        try stage.late("shop-a", booked: "2024-03", own: "2023-12", messages: 1_500)
        try #expect(stage.close("2023-12").error?.message.contains("before account acme was created") == true)
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10100 EUR"])
        try #expect(stage.lines("acme.2024-03") == ["base 1 10000", "usage shop-a messages 1500 100"])
        try #expect(stage.invoices("2024-04") == ["acme.2024-04 10000 EUR"])
        await stage.fleet.stop()
    }

    @Test("a change of plan or mode does not change what is past; only who gets the adjustment")
    func changedTerms() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", #","billing_mode":"separate","plan":"solo""#)])
        try stage.use("shop-a", "2024-02", messages: 1_000)
        try stage.use("shop-b", "2024-02", messages: 10)
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10000 EUR", "acme.shop-b.2024-02 3000 EUR"])
        try stage.change(at: "2024-03-05T00:00:00Z", "update tenantry.accounts set plan = 'volume'")
        try stage.change(
            at: "2024-03-05T00:00:00Z",
            "update tenantry.tenants set plan = null, billing_mode = case slug when 'shop-a' then 'separate' else 'consolidated' end"
        )
        try stage.late("shop-a", booked: "2024-03", own: "2024-02", messages: 2_000)
        try stage.late("shop-b", booked: "2024-03", own: "2024-02", messages: 4)
        // a: 1,000 × 0.2 + 1,000 × 0.15, not 2,000 × 0.15; b: 4 × 0.05, as it was then.
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10020 EUR", "acme.shop-a.2024-03 350 EUR"])
        try #expect(stage.lines("acme.2024-03") == ["base 1 10000", "adjustment shop-b messages 2024-02 4 20"])
        try #expect(stage.lines("acme.shop-a.2024-03") == ["adjustment shop-a messages 2024-02 2000 350"])
        await stage.fleet.stop()
    }

    @Test("an adjustment waits for an invoice in its own currency, and the invoice that cannot take it says so")
    func currencies() async throws {
        let stage = try await BillingStage(plan: "dollars", [("shop-a", "")])
        try stage.invoices("2024-02")
        try stage.late("shop-a", booked: "2024-03", own: "2024-02", messages: 7)
        try stage.change(at: "2024-03-05T00:00:00Z", "update tenantry.accounts set plan = 'graduated'")
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10000 EUR"])
        try #expect(
            stage.fleet.texts("select note from tenantry.invoices where period = '2024-03'")[0].hasPrefix(
                "an adjustment of 2024-02 waits for an invoice in USD"))
        // A plan without a price takes on the currency of what is due.
        try stage.change(at: "2024-04-05T00:00:00Z", "update tenantry.accounts set plan = 'free'")
        try #expect(stage.invoices("2024-04") == ["acme.2024-04 7 USD"])
        await stage.fleet.stop()
    }

    @Test("where the calendar changes between two periods, usage is in one of them: they begin where the other ends")
    func calendar() async throws {
        let stage = try await BillingStage([("shop-a", "")])
        try stage.use("shop-a", "2024-02", messages: 10)
        try stage.invoices("2024-02")
        try stage.use("shop-a", "2024-03", messages: 1)
        try stage.run("update tenantry.accounts set billing_anchor_day = 15, timezone = 'Europe/Berlin'")
        // From February 15, and from March 15.
        try stage.use("shop-a", "2024-02", messages: 20)
        try stage.use("shop-a", "2024-03", messages: 300)
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10000 EUR"])
        try #expect(
            stage.lines("acme.2024-03") == [
                "base 1 10000", "usage shop-a messages 301 0", "adjustment shop-a messages 2024-02 20 0",
            ])
        try #expect(
            stage.fleet.texts("select period_start || ' ' || period_end from tenantry.invoices order by period") == [
                "2024-02-01 00:00:00+00 2024-03-01 00:00:00+00", "2024-03-01 00:00:00+00 2024-04-14 22:00:00+00",
            ])
        await stage.fleet.stop()
    }
}
