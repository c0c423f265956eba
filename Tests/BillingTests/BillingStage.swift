internal import Contract
internal import Metering
internal import TestSupport
internal import Testing

/// A fleet with priced plans and an account that has been there since 2023, on which past months are used and closed.
final class BillingStage {
    let fleet: TestFleet
    /// The account's credential.
    private(set) var token = ""

    /// 100.00 a month with 1,000 messages; then 2.00 a thousand up to 1,000 more, 1.50 beyond. Tokens at a cent a thousand.
    static let graduated = Price(
        currency: Currency("EUR")!, base: 10_000,
        tariffs: [
            .messages: Tariff(
                included: 1_000, mode: .graduated,
                tiers: [.init(upTo: 1_000, perThousand: 200), .init(upTo: nil, perThousand: 150)]),
            .tokens: Tariff(tiers: [.init(upTo: nil, perThousand: 1)]),
        ])
    /// The same tiers, for the whole overage.
    static let volume = Price(
        currency: Currency("EUR")!, base: 10_000,
        tariffs: [
            .messages: Tariff(
                included: 1_000, mode: .volume, tiers: [.init(upTo: 1_000, perThousand: 200), .init(upTo: nil, perThousand: 150)])
        ])
    /// 30.00 a month, 10 messages, then 5 cents each.
    static let solo = Price(
        currency: Currency("EUR")!, base: 3_000,
        tariffs: [.messages: Tariff(included: 10, tiers: [.init(upTo: nil, perThousand: 5_000)])])
    static let dollars = Price(
        currency: Currency("USD")!, base: 2_000, tariffs: [.messages: Tariff(tiers: [.init(upTo: nil, perThousand: 1_000)])])

    static let plans: [Plan] = [
        ("graduated", graduated), ("volume", volume), ("solo", solo), ("dollars", dollars), ("free", nil),
    ].map { Plan(name: $0.0, displayName: $0.0, thresholds: [100], limits: [:], tenantPlans: ["solo"], price: $0.1) }

    /// - Parameter tenants: slugs, and what else their creation says.
    init(plan: String = "graduated", _ tenants: [(String, String)], account more: String = "") async throws {
        fleet = try await TestFleet()
        _ = try Plan.apply(Self.plans, on: &fleet.database)
        try fleet.startWorker()
        token = try makeAccount("acme", plan: plan, more)
        for (tenant, more) in tenants { try makeTenant(tenant, more) }
    }

    func makeAccount(_ slug: String, plan: String, _ more: String = "") throws -> String {
        let token = try fleet.makeAccount(slug, plan: plan, more)
        // A recount would find none of the messages that ``use(_:_:)`` puts onto the counters: the fleet is not to ask for one.
        try run(
            """
            update tenantry.accounts set created_at = '2023-01-01T00:00:00Z', aggregated_at = now() + interval '1 day'
            where slug = '\(slug)'
            """)
        return token
    }

    func makeTenant(_ slug: String, _ more: String = "", token: String? = nil) throws {
        try fleet.makeTenant(slug, token: token ?? self.token, more)
        try run("update tenantry.tenants set created_at = '2023-01-01T00:00:00Z' where slug = '\(slug)'")
    }

    /// Puts more onto a tenant's counters of the month, as a committed batch would; in UTC.
    func use(
        _ tenant: String, _ month: String, messages: Int64 = 0, conversations: Int64 = 0, users: Int64 = 0, tokens: Int64 = 0
    ) throws {
        try run(
            """
            insert into tenantry.tenant_usage as u (tenant, period_start, period_end, account, messages, conversations, active_users, tokens)
            select t.slug, p.period_start, p.period_end, t.account, \(messages), \(conversations), \(users), \(tokens)
            from tenantry.tenants t join tenantry.accounts a on a.slug = t.account,
                lateral tenantry.period('\(month)-28T12:00:00Z', a.timezone, a.billing_anchor_day) p
            where t.slug = '\(tenant)'
            on conflict (tenant, period_start) do update set messages = u.messages + excluded.messages,
                conversations = u.conversations + excluded.conversations, active_users = u.active_users + excluded.active_users,
                tokens = u.tokens + excluded.tokens
            """)
    }

    /// Notes that so much of what `booked` has counted belongs to `own`.
    func late(_ tenant: String, booked: String, own: String, messages: Int64, tokens: Int64 = 0) throws {
        try use(tenant, booked, messages: messages, tokens: tokens)
        try run(
            """
            insert into tenantry.late_usage (account, tenant, booked_start, period_start, messages, tokens)
            values ('acme', '\(tenant)', '\(booked)-01T00:00:00Z', '\(own)-01T00:00:00Z', \(messages), \(tokens))
            """)
    }

    /// Changes plans or modes as if it had been done at that time.
    func change(at time: String, _ sql: String) throws {
        let known = try fleet.texts("select clock_timestamp()::text")[0]
        try run(sql)
        try run("update tenantry.billing_terms set since = '\(time)' where since >= '\(known)'")
    }

    func run(_ sql: String) throws {
        _ = try fleet.texts(sql)
    }

    func close(_ month: String, token: String? = nil, more: String = "", id: String = TestFleet.newID()) throws -> Answer {
        try fleet.ask("billing.close", #"{"period":"\#(month)"\#(more)}"#, token: token ?? self.token, id: id)
    }

    /// Closes, and gives the ids of all invoices that the answer names, with their totals.
    @discardableResult
    func invoices(_ month: String, token: String? = nil, more: String = "") throws -> [String] {
        let answer = try close(month, token: token, more: more)
        guard case .array(let invoices)? = answer.result?["invoices"] else { throw TestFailure("not closed: \(answer)") }
        return try invoices.map { invoice in
            guard case .string(let id)? = invoice["invoice"], case .int(let total)? = invoice["total"],
                case .string(let currency)? = invoice["currency"]
            else { throw TestFailure("no invoice: \(invoice)") }
            return "\(id) \(total) \(currency)"
        }
    }

    /// An invoice's lines, for comparison: `usage shop messages 1200 40`, and of adjustments with their period.
    func lines(_ invoice: String) throws -> [String] {
        try fleet.texts(
            """
            select concat_ws(' ', kind, tenant, metric, case when kind = 'adjustment' then period end, quantity, amount)
            from tenantry.invoice_lines where invoice = '\(invoice)' order by position
            """)
    }
}
