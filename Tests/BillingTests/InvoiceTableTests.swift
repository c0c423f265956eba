internal import Contract
internal import Metering
internal import TestSupport
internal import Testing

/// Invoices against figures that were worked out by hand. Plans: ``BillingStage``.
@Suite("Invoices, held against hand-computed figures", .serialized) struct InvoiceTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var plan = "graduated"
        /// By tenant.
        let messages: [String: Int64]
        let lines: [String]
        let total: Int64
    }

    static let cases = [
        Case(testDescription: "a zero month: the base price alone", messages: [:], lines: ["base 1 10000"], total: 10_000),
        Case(
            testDescription: "all of it included", messages: ["a": 600, "b": 400],
            lines: ["base 1 10000", "usage a messages 600 0", "usage b messages 400 0"], total: 10_000),
        Case(
            // 2,000 − 1,000 = 1,000, the first tier's last unit: 200, by 1000 : 700 : 300.
            testDescription: "a tier's last unit", messages: ["a": 1_000, "b": 700, "c": 300],
            lines: ["base 1 10000", "usage a messages 1000 100", "usage b messages 700 70", "usage c messages 300 30"],
            total: 10_200),
        Case(
            // 200 + 4 × 0.15 = 200.6, so 201: by 1004 : 700 : 300 that is 100.70, 70.21, 30.09; the unit left goes to a.
            testDescription: "beyond it, rounded half up and dealt out by the largest remainder",
            messages: ["a": 1_004, "b": 700, "c": 300],
            lines: ["base 1 10000", "usage a messages 1004 101", "usage b messages 700 70", "usage c messages 300 30"],
            total: 10_201),
        Case(
            // 3,000 at 0.2: 1,000 × 0.2 + 1,000 × 0.15 = 350 of 2,000 beyond 1,000. A third each is 116.67: the units left go to a and b.
            testDescription: "equal remainders: the first slugs have them", messages: ["a": 1_000, "b": 1_000, "c": 1_000],
            lines: ["base 1 10000", "usage a messages 1000 117", "usage b messages 1000 117", "usage c messages 1000 116"],
            total: 10_350),
        Case(
            // All 2,000 at 0.15.
            testDescription: "volume: the whole overage at the tier in which it ends", plan: "volume",
            messages: ["a": 2_000, "b": 1_000],
            lines: ["base 1 10000", "usage a messages 2000 200", "usage b messages 1000 100"], total: 10_300),
        Case(
            testDescription: "a plan without a price: all that was used, for nothing", plan: "free", messages: ["a": 7],
            lines: ["base 1 0", "usage a messages 7 0"], total: 0),
    ]

    @Test("consolidated: one invoice, a line for each tenant and metric", arguments: cases)
    func consolidated(_ example: Case) async throws {
        let stage = try await BillingStage(plan: example.plan, [("a", ""), ("b", ""), ("c", "")].map { ("shop-" + $0.0, $0.1) })
        for (tenant, messages) in example.messages { try stage.use("shop-" + tenant, "2024-02", messages: messages) }
        let currency = example.plan == "free" ? Currency.unpriced.code : "EUR"
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 \(example.total) \(currency)"])
        let lines = try stage.lines("acme.2024-02").map { $0.replacing("shop-", with: "") }
        #expect(lines == example.lines)
        try #expect(stage.fleet.number("select total from tenantry.invoices") == example.total)
        await stage.fleet.stop()
    }

    @Test("every metric has a line where there was some of it, also without a price; each is rounded by itself")
    func metrics() async throws {
        let stage = try await BillingStage([("shop-a", ""), ("shop-b", "")])
        // 500 tokens are half a cent, and 1,499 1.499: together 1.999.
        try stage.use("shop-a", "2024-02", messages: 5, conversations: 3, users: 2, tokens: 500)
        try stage.use("shop-b", "2024-02", tokens: 1_499)
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10002 EUR"])
        try #expect(
            stage.lines("acme.2024-02") == [
                "base 1 10000", "usage shop-a messages 5 0", "usage shop-a conversations 3 0", "usage shop-a active_users 2 0",
                "usage shop-a tokens 500 1", "usage shop-b tokens 1499 1",
            ])
        await stage.fleet.stop()
    }

    @Test("separate: who gets the invoice changes, not what is paid in all; with a plan of its own it pays by that alone")
    func separate() async throws {
        let separate = #","billing_mode":"separate""#
        let stage = try await BillingStage([
            ("shop-a", ""), ("shop-b", separate), ("shop-c", separate + #","plan":"solo""#), ("shop-d", separate),
            ("shop-e", #","plan":"solo""#),
        ])
        // Priced together: a, b and e with 3,000, so 200 + 1,000 × 0.15 = 350, by 1500 : 900 : 600. c alone: 30.00, and 5 × 0.05.
        try stage.use("shop-a", "2024-02", messages: 1_500)
        try stage.use("shop-b", "2024-02", messages: 900)
        try stage.use("shop-c", "2024-02", messages: 15)
        try stage.use("shop-e", "2024-02", messages: 600)
        try #expect(
            stage.invoices("2024-02") == [
                "acme.2024-02 10245 EUR", "acme.shop-b.2024-02 105 EUR", "acme.shop-c.2024-02 3025 EUR",
            ])
        try #expect(
            stage.lines("acme.2024-02") == ["base 1 10000", "usage shop-a messages 1500 175", "usage shop-e messages 600 70"])
        try #expect(stage.lines("acme.shop-b.2024-02") == ["usage shop-b messages 900 105"])
        try #expect(stage.lines("acme.shop-c.2024-02") == ["base shop-c 1 3000", "usage shop-c messages 15 25"])
        // A month in which nobody did anything: only those with a base price have an invoice.
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10000 EUR", "acme.shop-c.2024-03 3000 EUR"])
        await stage.fleet.stop()
    }

    @Test("a tenant that is archived or purged is billed for what it used, and has no base price from the next period on")
    func gone() async throws {
        let stage = try await BillingStage([
            ("shop-a", ""), ("shop-b", #","billing_mode":"separate","plan":"solo""#),
        ])
        for tenant in ["shop-a", "shop-b"] { try stage.use(tenant, "2024-02", messages: 1_500) }
        try stage.run(
            "update tenantry.tenants set state = 'purged', archived_at = '2024-02-10T00:00:00Z', purged_at = '2024-02-20T00:00:00Z'"
        )
        // 500 × 0.2; 30.00 + 1,490 × 0.05.
        try #expect(stage.invoices("2024-02") == ["acme.2024-02 10100 EUR", "acme.shop-b.2024-02 10450 EUR"])
        try #expect(stage.invoices("2024-03") == ["acme.2024-03 10000 EUR"])
        await stage.fleet.stop()
    }
}
