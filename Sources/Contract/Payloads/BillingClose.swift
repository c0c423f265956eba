extension Kind {
    public static let billingClose = Kind(
        "billing.close", family: .usage, access: Access(operator: true, account: true), isAudited: true,
        summary: "Makes the invoices of a finished period, once.")
}

/// `billing.close` (contract, section 4).
public struct BillingClose: JobPayload, Equatable {
    public static let kind = Kind.billingClose

    /// `YYYY-MM`: the period that starts in this month.
    public var period: String
    /// The account's slug; nil is the sender's own account, and for an operator every account.
    public var account: String?

    public init(period: String, account: String? = nil) {
        self.period = period
        self.account = account
    }

    public static let fields = Fields(BillingClose(period: "")) {
        Field("period", \.period, .month)
        Field("account", \.account, .slug)
    }

    public static let example = BillingClose(period: "2026-10", account: "acme")

    /// `invoices` and `failed` name the first 1,000 at most; `skipped` are accounts whose period has not ended yet, or had ended before they were
    /// made. `failed` comes with every account's closing: those that could not be closed, and why.
    public static let resultSchema = Schema.object(
        required: ["accounts", "invoices", "invoice_count", "skipped"],
        [
            "account": Slug.schema, "accounts": Schema.count, "invoice_count": Schema.count, "skipped": Schema.count,
            "invoices": Schema.list(
                Schema.object(
                    required: ["invoice", "account", "total", "currency"],
                    [
                        "invoice": Schema.anyText, "account": Slug.schema, "tenant": Schema.optional(Slug.schema),
                        "total": ["type": "integer"], "currency": Schema.currency,
                    ]), 0...1_000),
            "failed": Schema.list(
                Schema.object(required: ["account", "error"], ["account": Slug.schema, "error": Rejection.schema]), 0...1_000),
        ])
}
