extension Kind {
    public static let usageAggregate = Kind(
        "usage.aggregate", family: .usage, access: Access(operator: true, account: true, tenant: .any, fleet: true),
        states: .alive,
        summary: "Brings roll-ups and pool totals up to date and evaluates limits.")
}

/// `usage.aggregate` (contract, section 4).
public struct UsageAggregate: JobPayload, Equatable {
    public static let kind = Kind.usageAggregate

    /// The account's slug; nil is the sender's own account.
    public var account: String?
    /// `YYYY-MM`; nil is the open period.
    public var period: String?

    public init(account: String? = nil, period: String? = nil) {
        self.account = account
        self.period = period
    }

    public static let fields = Fields(UsageAggregate()) {
        Field("account", \.account, .slug)
        Field("period", \.period, .month)
    }

    public static let example = UsageAggregate()

    public static let resultSchema = Schema.object(
        required: ["account", "tenants", "corrections", "closed_corrections", "period_start", "period_end"],
        [
            "account": Slug.schema, "tenants": Schema.count, "corrections": Schema.count, "closed_corrections": Schema.count,
            "period_start": Instant.schema, "period_end": Instant.schema,
        ])
}
