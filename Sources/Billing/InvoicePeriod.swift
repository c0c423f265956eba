internal import Metering
internal import Postgres

/// A billing period under the name of the month in which it starts: `2026-10`.
struct InvoicePeriod: Hashable, Comparable, Sendable {
    let name: String
    let start: Timestamp
    let end: Timestamp

    static func < (left: InvoicePeriod, right: InvoicePeriod) -> Bool { left.name < right.name }
}

/// The account whose period is closed: by the plan that it was on at the period's end, at the plan's present price.
struct BilledAccount: Sendable {
    let slug: String
    let displayName: String
    let plan: String
    let price: Price?
    let createdAt: Timestamp
    let period: InvoicePeriod
    let isFinished: Bool
}

extension BilledAccount {
    /// - Returns: nil where there is no such account.
    static func read(_ slug: String, period: String, on database: inout Transaction) throws -> BilledAccount? {
        try database.query(SQL.account, slug, period).decode {
            (
                displayName: String, plan: String, price: String?, createdAt: Timestamp, start: Timestamp, end: Timestamp,
                isFinished: Bool
            ) in
            BilledAccount(
                slug: slug, displayName: displayName, plan: plan, price: try Price.stored(price), createdAt: createdAt,
                period: InvoicePeriod(name: period, start: start, end: end), isFinished: isFinished)
        }.first
    }

    static func all(on database: inout Transaction) throws(PostgresError) -> [String] {
        try database.query(SQL.accounts).decode(String.self)
    }

    enum SQL {
        static let accounts: Statement = "select slug from tenantry.accounts order by slug"
        /// Invoiced periods follow each other without gap or overlap, also where the account's zone or anchor day was changed between two
        /// months: one begins where the other ends, so that all usage is in exactly one of them.
        static let account: Statement = """
            select a.display_name, terms.plan, plans.price, a.created_at, tile.period_start, tile.period_end, tile.period_end <= now()
            from tenantry.accounts a
            cross join lateral tenantry.period(
                (to_date($2, 'YYYY-MM') + interval '1 month - 1 day')::timestamp at time zone a.timezone, a.timezone, a.billing_anchor_day
            ) p
            left join tenantry.invoices before on before.account = a.slug and before.tenant is null
                and before.period = to_char(to_date($2, 'YYYY-MM') - interval '1 month', 'YYYY-MM')
            left join tenantry.invoices after on after.account = a.slug and after.tenant is null
                and after.period = to_char(to_date($2, 'YYYY-MM') + interval '1 month', 'YYYY-MM')
            cross join lateral (
                select coalesce(before.period_end, p.period_start) as period_start,
                       greatest(coalesce(after.period_start, p.period_end), before.period_end, p.period_start) as period_end
            ) tile
            cross join lateral tenantry.terms_before(a.slug, '', tile.period_end) terms
            join tenantry.plans on plans.name = terms.plan
            where a.slug = $1
            """
    }
}
