internal import Contract
internal import Foundation
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@Suite("Invoices and prices on the command line")
struct InvoiceTests {
    private static let yen = Price(
        currency: Currency("JPY")!, base: 5_000, tariffs: [.messages: Tariff(tiers: [.init(upTo: nil, perThousand: 500)])])
    private static let euros = Price(
        currency: Currency("EUR")!, base: 4_905, tariffs: [.messages: Tariff(tiers: [.init(upTo: nil, perThousand: 500)])])

    private func call(_ line: String, on fleet: TestFleet) async throws -> Ended {
        try await Program(
            Program.tenantry, line.split(separator: " ").map { String($0) },
            environment: ["TENANTRY_DATABASE_URL": fleet.databaseURL]
        ).end(within: 60)
    }

    @Test("list and show: integers in the smallest unit, and the amount with the currency's own digits")
    func listAndShow() async throws {
        let fleet = try await TestFleet()
        let plans = [("euros", Self.euros), ("yen", Self.yen)].map {
            Plan(name: $0.0, displayName: $0.0, thresholds: [100], limits: [:], price: $0.1)
        }
        _ = try Plan.apply(plans, on: &fleet.database)
        try fleet.startWorker()
        for (account, plan) in [("acme", "euros"), ("globex", "yen")] {
            let token = try fleet.makeAccount(account, plan: plan)
            try fleet.makeTenant(account + "-shop", token: token)
        }
        _ = try fleet.texts("update tenantry.accounts set created_at = '2023-01-01T00:00:00Z'")
        _ = try fleet.texts(
            """
            insert into tenantry.tenant_usage (tenant, period_start, period_end, account, messages)
            select slug, '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z', account, 2500 from tenantry.tenants
            """)
        for month in ["2024-02", "2024-03"] {
            let answer = try fleet.ask("billing.close", #"{"period":"\#(month)"}"#, token: fleet.operatorToken)
            #expect(answer.status == .succeeded, "\(answer)")
        }
        await fleet.stop()

        let all = try await call("invoice list --format json", on: fleet).rows()
        #expect(
            all.compactMap { $0["invoice"] as? String } == ["acme.2024-03", "globex.2024-03", "acme.2024-02", "globex.2024-02"])
        #expect(all.compactMap { $0["amount"] as? String } == ["49.05", "5000", "61.55", "6250"])
        #expect(all.compactMap { $0["total"] as? Int } == [4_905, 5_000, 6_155, 6_250])
        let some = try await call("invoice list --account acme --period 2024-02", on: fleet)
        #expect(some.status == 0 && some.output.contains("acme.2024-02") && some.output.contains("61.55   EUR"), "\(some)")
        #expect(some.output.split(separator: "\n").count == 2)

        let shown = try #require(try await call("invoice show acme.2024-02 --format json", on: fleet).json() as? [String: Any])
        #expect(shown["total"] as? Int == 6_155 && shown["total_formatted"] as? String == "61.55 EUR")
        #expect(shown["delivery"] as? String == "none" && (shown["note"] as? String)?.hasPrefix("not sent: ") == true)
        let lines = try #require(shown["lines"] as? [[String: Any]])
        #expect(lines.compactMap { $0["kind"] as? String } == ["base", "usage"])
        #expect(lines.compactMap { $0["amount"] as? Int } == [4_905, 1_250])
        #expect(lines.last?["tenant"] as? String == "acme-shop" && lines.last?["quantity"] as? Int == 2_500)
        #expect(lines.last?["amount_formatted"] as? String == "12.50 EUR")
        let table = try await call("invoice show globex.2024-02", on: fleet)
        #expect(
            table.output.contains("total_formatted:   6250 JPY") && table.output.contains("Messages of globex-shop"), "\(table)")

        for (line, complaint) in [
            ("invoice show nothing", "there is no invoice nothing"), ("invoice retry nothing", "there is no invoice nothing"),
            ("invoice retry acme.2024-02", "not one to send again"),
        ] {
            let ended = try await call(line, on: fleet)
            #expect(ended.status == 1 && ended.errors.contains(complaint), "\(ended)")
        }
        for line in ["invoice list --period 2024-13", "invoice list --period soon", "invoice show"] {
            #expect(try await call(line, on: fleet).status == 64)
        }
    }

    @Test(
        "a mistake in a price names the file and the key",
        arguments: [
            ("3", "price: must be a mapping"), ("{base: 1}", "price: currency is missing"),
            ("{currency: EUR}", "price: base is missing"),
            ("{currency: euro, base: 1}", "price.currency: must be a currency's code"),
            ("{currency: EUR, base: 1.5}", "price.base: must be a whole number"),
            ("{currency: EUR, base: -1}", "price.base: must be 0 or more"),
            ("{currency: EUR, base: 1, tax: 3}", "price.tax: there is no such key here"),
            (
                "{currency: EUR, base: 1, metrics: {documents: {tiers: []}}}",
                "price.metrics.documents: there is no such metric that could"
            ),
            ("{currency: EUR, base: 1, metrics: {messages: {}}}", "price.metrics.messages: tiers is missing"),
            (
                "{currency: EUR, base: 1, metrics: {messages: {tiers: []}}}",
                "price.metrics.messages.tiers: must have at least one"
            ),
            ("{currency: EUR, base: 1, metrics: {messages: {tiers: 3}}}", "price.metrics.messages.tiers: must be a list"),
            (
                "{currency: EUR, base: 1, metrics: {messages: {mode: steps, tiers: [{up_to: null, per_thousand: 1}]}}}",
                "price.metrics.messages.mode: must be graduated or volume"
            ),
            (
                "{currency: EUR, base: 1, metrics: {messages: {included: -1, tiers: [{up_to: null, per_thousand: 1}]}}}",
                "price.metrics.messages.included: must be 0 or more"
            ),
            (
                "{currency: EUR, base: 1, metrics: {messages: {tiers: [{up_to: 5, per_thousand: 1}]}}}",
                "price.metrics.messages.tiers.0.up_to: must be null in the last tier"
            ),
            (
                "{currency: EUR, base: 1, metrics: {messages: {tiers: [{up_to: null, per_thousand: 1}, {up_to: null, per_thousand: 1}]}}}",
                "price.metrics.messages.tiers.0.up_to: may be null in the last tier alone"
            ),
            (
                "{currency: EUR, base: 1, metrics: {messages: {tiers: [{up_to: 5, per_thousand: 1}, {up_to: 5, per_thousand: 1}, {up_to: null, per_thousand: 1}]}}}",
                "price.metrics.messages.tiers.1.up_to: must be more than 5"
            ),
            (
                "{currency: EUR, base: 1, metrics: {messages: {tiers: [{up_to: null}]}}}",
                "price.metrics.messages.tiers.0: per_thousand is missing"
            ),
        ])
    func brokenPrices(_ price: String, _ complaint: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("plans"))
        defer { try? FileManager.default.removeItem(at: file) }
        try "plans: {a: {price: \(price)}}".write(to: file, atomically: true, encoding: .utf8)
        let ended = try await Program.tenantry(
            "plans", "apply", "--file", file.path, environment: ["TENANTRY_DATABASE_URL": "postgresql://127.0.0.1:1/d"])
        #expect(ended.status == 1)
        #expect(ended.errors.hasPrefix("Error: \(file.path): plans.a.\(complaint)"), "\(ended.errors)")
    }

    @Test("the plans that `tenantry dev` loads where there is no file are those of config/plans.yaml")
    func standardPlans() async throws {
        let source = Program.repository.appending(path: "Sources/tenantry/Manifests/PlanFile.swift")
        let parts = try String(contentsOf: source, encoding: .utf8).components(separatedBy: "\"\"\"")
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("plans"))
        defer { try? FileManager.default.removeItem(at: file) }
        try parts[1].write(to: file, atomically: true, encoding: .utf8)
        let fleet = try await TestFleet()
        var found: [[String]] = []
        for path in [file.path, Program.repository.appending(path: "config/plans.yaml").path] {
            let applied = try await call("plans apply --file \(path)", on: fleet)
            #expect(applied.status == 0, "\(applied)")
            found.append(
                try fleet.texts(
                    """
                    select concat_ws('|', p.name, display_name, thresholds, price, metric, limit_value, mode)
                    from tenantry.plans p left join tenantry.plan_limits l on l.plan = p.name order by p.name, metric
                    """))
        }
        #expect(found[0] == found[1] && found[0].count == 6, "\(found)")
        #expect(found[0].allSatisfy { $0.contains("\"currency\": \"EUR\"") })
    }
}
