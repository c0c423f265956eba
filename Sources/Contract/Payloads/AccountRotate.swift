extension Kind {
    public static let accountRotate = Kind(
        "account.rotate", family: .account, access: Access(operator: true, account: true, accountAdministrator: false),
        isAudited: true,
        summary: "Issues a new account credential; the earlier ones work on for a while, so that nothing stands still.")
}

/// `account.rotate`: a new credential of the account's own, and an end to those before it.
public struct AccountRotate: JobPayload, Equatable {
    public static let kind = Kind.accountRotate
    static let overlaps: ClosedRange<Int64> = 0...2_592_000

    /// The account's slug; nil is the sender's own account.
    public var account: String?
    /// How long the earlier credentials work on, 0 to 2,592,000 (30 days); one that ends sooner still does.
    public var overlapSeconds: Int64

    public init(account: String? = nil, overlapSeconds: Int64 = 86_400) {
        self.account = account
        self.overlapSeconds = overlapSeconds
    }

    enum CodingKeys: String, CodingKey {
        case account
        case overlapSeconds = "overlap_seconds"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        account = try container.decodeIfPresent(String.self, forKey: .account)
        overlapSeconds = try container.decodeInteger(Int64.self, forKey: .overlapSeconds) ?? 86_400
    }

    public func validate() throws(Rejection) {
        try Rule.slug(account, "/account")
        try Rule.require(Self.overlaps.contains(overlapSeconds), "/overlap_seconds", "must be 0 to 2592000")
    }

    public static let schema = Schema.object([
        "account": Schema.optional(Slug.schema),
        "overlap_seconds": Schema.optional(
            ["type": "integer", "minimum": .int(overlaps.lowerBound), "maximum": .int(overlaps.upperBound)], default: 86_400),
    ])

    public static let resultSchema = Schema.object(
        required: ["account", "key", "earlier_end_at"],
        ["account": Slug.schema, "key": Schema.anyText, "secret": Schema.anyText, "earlier_end_at": Instant.schema])
}
