internal import Contract
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Tenants

/// What a tenant pays is not its account's to choose.
@Suite struct TenantPlanTests {
    private static let plans = [
        Plan(name: "cheap", displayName: "Cheap", thresholds: [100], limits: [:]),
        Plan(name: "dear", displayName: "Dear", thresholds: [50, 100], limits: [.messages: .init(value: 10, mode: .soft)]),
        Plan(name: "silent", displayName: "Silent", thresholds: [100], limits: [:]),
        Plan(name: "open", displayName: "Open", thresholds: [100], limits: [:], tenantPlans: ["dear"]),
    ]

    @Test("An account gives its tenants only plans that its own plan offers; none by default")
    func accounts() async throws {
        let fleet = try await TestFleet()
        _ = try Plan.apply(Self.plans, on: &fleet.database)
        try fleet.startWorker()
        let silent = try fleet.makeAccount("silent", plan: "silent")
        let open = try fleet.makeAccount("open", plan: "open")
        func make(_ slug: String, _ plan: String, _ token: String) throws -> Rejection? {
            let body = #"{"slug":"\#(slug)","display_name":"x","billing_mode":"separate","plan":"\#(plan)"}"#
            return try fleet.ask("tenant.create", body, token: token).error
        }
        for plan in ["cheap", "dear", "silent"] {
            let refusal = try #require(try make("aa", plan, silent))
            #expect(refusal.code == .forbidden && refusal.field == "/plan", "\(refusal)")
        }
        #expect(try make("bb", "cheap", open)?.message.contains("dear") == true)
        #expect(try make("bb", "dear", open) == nil)
        #expect(
            try fleet.ask("tenant.create", #"{"slug":"cc","display_name":"x","plan":null}"#, token: silent).status == .succeeded)

        let many =
            #"{"tenants":[{"slug":"dd","display_name":"x","plan":"cheap"},{"slug":"ee","display_name":"x","plan":"dear"}]}"#
        let answer = try fleet.ask("tenant.create_many", many, token: open)
        #expect(answer.result?["created"] == 1 && answer.result?["rejected"] == 1, "\(answer)")

        #expect(try fleet.ask("tenant.update", #"{"plan":"cheap"}"#, tenant: "bb", token: open).error?.code == .forbidden)
        #expect(
            try fleet.ask("tenant.update", #"{"plan":"dear","display_name":"y"}"#, tenant: "bb", token: open).status == .succeeded
        )
        #expect(try fleet.texts("select coalesce(plan, '-') from tenantry.tenants order by slug") == ["dear", "-", "dear"])
        await fleet.stop()
    }

    @Test("An operator gives any plan; the tenant keeps it, and is measured against it at once")
    func operators() async throws {
        let fleet = try await TestFleet()
        _ = try Plan.apply(Self.plans, on: &fleet.database)
        try fleet.startWorker()
        let account = try fleet.makeAccount("silent", plan: "silent")
        try fleet.makeTenant("shop", token: account)
        #expect(
            try fleet.ask("conversation.log", TestFleet.log((0..<6).map { "m\($0)" }), tenant: "shop", token: account).status
                == .succeeded)
        func set(_ plan: String?) throws -> Bool { try TenantPlan.set("shop", to: plan, by: "tester", on: &fleet.database) }
        #expect(try set("dear"))
        #expect(try !set("dear"))
        #expect(try fleet.texts("select threshold_percent::text from tenantry.alerts where tenant = 'shop'") == ["50"])
        #expect(throws: Rejection.self) { try set("none") }
        // That the account names it again is no choice; another is.
        #expect(try fleet.ask("tenant.update", #"{"plan":"dear"}"#, tenant: "shop", token: account).status == .succeeded)
        #expect(try fleet.ask("tenant.update", #"{"plan":null}"#, tenant: "shop", token: account).status == .succeeded)
        #expect(try fleet.ask("tenant.update", #"{"plan":"dear"}"#, tenant: "shop", token: account).error?.code == .forbidden)
        #expect(
            try fleet.texts("select actor from tenantry.audit_log where kind = 'tenant.update' and role = 'operator'") == [
                "tester"
            ])
        await fleet.stop()
    }
}
