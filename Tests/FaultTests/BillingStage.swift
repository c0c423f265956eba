internal import Contract
internal import Metering
internal import TestSupport

/// A stage with an account on a priced plan, and tenants that are billed separately through Stripe.
final class BillingStage {
    let stage: Stage
    let token: String

    /// 30.00 a month, and a cent a message.
    private static let plan = Plan(
        name: "solo", displayName: "Solo", thresholds: [100], limits: [:],
        price: Price(
            currency: Currency("EUR")!, base: 3_000, tariffs: [.messages: Tariff(tiers: [.init(upTo: nil, perThousand: 1_000)])]))

    /// - Parameter stripe: the tenants' Stripe accounts; tenants are `shop-0`, `shop-1`, …
    init(_ stripe: [String]) async throws {
        stage = try await Stage()
        let plans = TestFleet.plans.map { plan in
            var plan = plan
            plan.tenantPlans.append("solo")
            return plan
        }
        _ = try Plan.apply(plans + [Self.plan], on: &stage.database)
        let setup = try stage.startWorker()
        token = try await stage.makeAccount("acme")
        for (index, account) in stripe.enumerated() {
            let answer = try await stage.ask(
                "tenant.create",
                #"{"slug":"shop-\#(index)","display_name":"Shop & Söhne \#(index)","plan":"solo","billing_mode":"separate","stripe_account":"\#(account)"}"#,
                token: token)
            guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
        }
        try stage.run(
            """
            insert into tenantry.stripe_grants (stripe_account, account, granted_by)
            select distinct stripe_account, account, 'a test' from tenantry.tenants where stripe_account is not null
            union values ('acct_new', 'acme', 'a test')
            """)
        guard try await setup.terminate(within: 30) == .exit(0) else { throw TestFailure(setup.log) }
        try stage.run(
            """
            update tenantry.accounts set created_at = '2023-01-01', aggregated_at = now() + interval '1 day';
            update tenantry.tenants set created_at = '2023-01-01'
            """)
    }

    func use(_ tenant: String, _ month: String, messages: Int) throws {
        try stage.run(
            """
            insert into tenantry.tenant_usage (tenant, period_start, period_end, account, messages)
            values ('\(tenant)', '\(month)-01T00:00:00Z', timestamptz '\(month)-01T00:00:00Z' + interval '1 month', 'acme', \(messages))
            """)
    }

    func close(_ month: String) async throws {
        let answer = try await stage.ask("billing.close", #"{"period":"\#(month)"}"#, token: token)
        guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
    }

    /// `<tenant> <delivery>` of the tenants' invoices.
    func deliveries() throws -> [String] {
        try stage.table(
            "select tenant || ' ' || delivery from tenantry.invoices where tenant is not null order by length(tenant), tenant, period"
        ).map { $0[0] }
    }
}
