internal import Metering
internal import Postgres

/// A tenant as it is billed: in the mode and by the plan that it had at the period's end.
struct BilledTenant: Sendable {
    var slug: String
    var displayName: String
    /// Its own plan; nil where it is on its account's.
    var plan: String?
    /// Its own plan's.
    var price: Price?
    var isSeparate: Bool
    var stripeAccount: String?
    /// Whether that is granted to its account.
    var isGranted: Bool
    /// Whom an invoice can be sent to.
    var email: String?
    /// Whether it was there in the period: before it was made, and after it was archived, it has no base price.
    var existed: Bool

    /// By a plan of its own, on its own volume: that takes both.
    var hasOwnVolume: Bool { isSeparate && plan != nil }
}

extension BilledTenant {
    /// Those that are billed separately, and those named.
    static func read(
        _ named: Set<String>, account: String, period: InvoicePeriod, on database: inout Transaction
    ) throws -> [BilledTenant] {
        try database.query(SQL.tenants, account, named.sorted(), period.start, period.end).decode {
            (
                slug: String, displayName: String, plan: String?, price: String?, isSeparate: Bool, stripeAccount: String?,
                isGranted: Bool, email: String?, existed: Bool
            ) in
            BilledTenant(
                slug: slug, displayName: displayName, plan: plan, price: try Price.stored(price), isSeparate: isSeparate,
                stripeAccount: stripeAccount, isGranted: isGranted, email: email, existed: existed)
        }
    }

    enum SQL {
        static let tenants: Statement = """
            select t.slug, t.display_name, terms.plan, plans.price, terms.billing_mode = 'separate', t.stripe_account,
                   granted.account is not null, admin.email,
                   t.created_at < $4 and coalesce(least(t.archived_at, t.purged_at), 'infinity') > $3
            from tenantry.tenants t
            cross join lateral tenantry.terms_before(t.account, t.slug, $4) terms
            left join tenantry.stripe_grants granted on granted.stripe_account = t.stripe_account and granted.account = t.account
            left join tenantry.plans on plans.name = terms.plan
            left join lateral (
                select a.email from tenantry.administrators a
                where a.account = t.account and coalesce(a.tenant, '') = t.slug
                order by a.created_at, a.email limit 1
            ) admin on true
            where t.account = $1 and (terms.billing_mode = 'separate' or t.slug = any($2))
            order by t.slug collate "C"
            """
    }
}
