extension Kind {
    public static let accountRotate = Kind(
        "account.rotate", family: .account, access: Access(operator: true, account: true, accountAdministrator: false),
        isControl: true, isAudited: true,
        summary: "Issues a new account credential; the earlier ones work on for a while, so that nothing stands still.")
}

/// `account.rotate`: a new credential of the account's own, and an end to those before it.
public struct AccountRotate: JobPayload, Equatable {
    public static let kind = Kind.accountRotate

    /// The account's slug; nil is the sender's own account.
    public var account: String?
    /// How long the earlier credentials work on, 0 to 2,592,000 (30 days); one that ends sooner still does.
    public var overlapSeconds: Int64

    public init(account: String? = nil, overlapSeconds: Int64 = 86_400) {
        self.account = account
        self.overlapSeconds = overlapSeconds
    }

    public static let fields = Fields(AccountRotate()) {
        Field("account", \.account, .slug)
        Field("overlap_seconds", \.overlapSeconds, .integer(0...2_592_000), default: 86_400)
    }

    public static let example = AccountRotate(account: "acme")

    public static let resultSchema = Schema.object(
        required: ["account", "key", "earlier_end_at"],
        ["account": Slug.schema, "key": Schema.anyText, "secret": Schema.anyText, "earlier_end_at": Instant.schema])
}
