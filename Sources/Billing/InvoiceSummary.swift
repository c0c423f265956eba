public import Metering
public import Postgres

/// An invoice as it stands in a list.
public struct InvoiceSummary: Sendable {
    /// Such as `acme.2026-10`.
    public let id: String
    public let account: String
    /// nil: the account's own.
    public let tenant: String?
    /// The month in which the period starts, `YYYY-MM`.
    public let period: String
    public let plan: String
    /// In the currency's smallest unit.
    public let total: Int64
    let currencyCode: String
    /// How far it is on its way to Stripe: `none`, `pending`, `sent` or `failed`.
    public let delivery: String
    /// Why it failed, or else what is to be known of it.
    public let note: String?

    public var currency: Currency { Currency(stored: currencyCode) }

    /// The newest period first, then by account, its own before those of its tenants. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - period: only of the periods that start in this month, `YYYY-MM`.
    ///   - limit: the most invoices.
    public static func list(
        account: String? = nil, period: String? = nil, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [InvoiceSummary] {
        try database.query(SQL.list, account, period, limit).decode(InvoiceSummary.init)
    }

    enum SQL {
        static let list: Statement = """
            select id, account, tenant, period, plan, total, currency, delivery, coalesce(last_error, note) from tenantry.invoices
            where ($1::text is null or account = $1) and ($2::text is null or period = $2)
            order by period desc, account, tenant nulls first limit $3
            """
    }
}
