extension Kind {
    public static let usageAggregate = Kind(
        "usage.aggregate", family: .usage, access: Access(operator: true, account: true, tenant: .any, fleet: true),
        summary: "Brings roll-ups and pool totals up to date and evaluates limits.")
}

/// `usage.aggregate` (contract, section 4).
public struct UsageAggregate: JobPayload, Equatable {
    public static let kind = Kind.usageAggregate
    static let periodPattern = "^[0-9]{4}-(0[1-9]|1[0-2])$"

    /// The account's slug; nil is the sender's own account.
    public var account: String?
    /// `YYYY-MM`; nil is the open period.
    public var period: String?

    public init(account: String? = nil, period: String? = nil) {
        self.account = account
        self.period = period
    }

    public func validate() throws(Rejection) {
        try Rule.slug(account, "/account")
        if let period { try Rule.require(Self.isMonth(period), "/period", "must be a month such as 2026-11") }
    }

    private static func isMonth(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 7, bytes[4] == Ascii.minus, bytes[..<4].allSatisfy({ Ascii.isDigit($0) }),
            bytes[5...].allSatisfy({ Ascii.isDigit($0) })
        else { return false }
        return (1...12).contains((bytes[5] - Ascii.zero) * 10 + bytes[6] - Ascii.zero)
    }

    public static let schema = Schema.object([
        "account": Schema.optional(Slug.schema), "period": Schema.optional(Schema.pattern(periodPattern)),
    ])

    public static let resultSchema = Schema.object([:])
}
