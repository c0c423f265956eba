public import Contract
internal import Jobs
public import Metering
public import Postgres

/// An invoice, whole. Amounts are in its currency's smallest unit.
public struct InvoiceDetails: Sendable {
    /// Such as `acme.2026-10`.
    public let id: String
    public let account: String
    /// nil: the account's own.
    public let tenant: String?
    /// Whom it is for, as the account or tenant was called then.
    public let billTo: String
    /// The month in which the period starts, `YYYY-MM`.
    public let period: String
    public let periodStart: Timestamp
    public let periodEnd: Timestamp
    public let plan: String
    let currencyCode: String
    public let baseAmount: Int64
    public let usageAmount: Int64
    public let adjustmentAmount: Int64
    public let total: Int64
    /// How far it is on its way to Stripe: `none`, `pending`, `sent` or `failed`.
    public let delivery: String
    public let note: String?
    public let lastError: String?
    public let stripeAccount: String?
    /// What Stripe calls it.
    public let stripeInvoice: String?
    /// How often sending it was begun.
    public let attempts: Int64
    public let createdAt: Timestamp
    public let sentAt: Timestamp?
    /// Where it is sent.
    public let email: String?
    /// The plan's price as it was then, in the shape of ``Price/json``; null: it had none.
    public let terms: JSONValue
    /// Of a tenant by a plan of its own; the others' usage is priced together.
    public let hasOwnVolume: Bool

    public var currency: Currency { Currency(stored: currencyCode) }

    /// One of its lines.
    public struct Line: Sendable {
        /// 1, 2, …
        public let position: Int64
        /// `base`, `usage` or `adjustment`.
        public let kind: String
        public let tenant: String?
        /// nil for the base price.
        public let metric: String?
        /// Of an adjustment: the earlier period that it corrects, `YYYY-MM`.
        public let period: String
        public let quantity: Int64
        public let amount: Int64
        public let description: String
    }

    /// One invoice; nil if there is none of this id.
    public static func find(
        _ id: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> InvoiceDetails? {
        try database.query(SQL.find, id).decode(InvoiceDetails.init).first
    }

    /// Its lines in their order.
    public func lines(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [Line] {
        try database.query(SQL.lines, id).decode(Line.init)
    }

    enum SQL {
        static let columns = """
            id, account, tenant, bill_to, period, period_start, period_end, plan, currency, base_amount, usage_amount,
                   adjustment_amount, total, delivery, note, last_error, stripe_account, stripe_invoice, attempts, created_at, sent_at, email,
                   terms, has_own_volume
            """
        static let find = Statement("select \(columns) from tenantry.invoices where id = $1")
        static let lines: Statement = """
            select position, kind, tenant, metric, period, quantity, amount, description from tenantry.invoice_lines
            where invoice = $1 order by position
            """
    }
}
