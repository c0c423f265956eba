extension Kind {
    public static let accountUpdate = Kind(
        "account.update", family: .account, access: Access(operator: true), isControl: true, isAudited: true,
        takesPrecondition: true,
        summary: "Changes an account's name, plan, periods, slug prefix or custom limits.")
}

/// `account.update` (contract, section 4): what is not named stays as it is.
public struct AccountUpdate: JobPayload, Equatable {
    public static let kind = Kind.accountUpdate

    /// The account's slug; `slug` is another name for the same field.
    public var account: String
    public var displayName: String?
    public var plan: String?
    public var timezone: String?
    public var billingAnchorDay: Int?
    public var slugPrefix: Change<String>
    /// A limit that is named replaces the custom one; clearing takes all custom limits away.
    public var limits: Change<Limits>

    public init(
        account: String, displayName: String? = nil, plan: String? = nil, timezone: String? = nil, billingAnchorDay: Int? = nil,
        slugPrefix: Change<String> = .keep, limits: Change<Limits> = .keep
    ) {
        self.account = account
        self.displayName = displayName
        self.plan = plan
        self.timezone = timezone
        self.billingAnchorDay = billingAnchorDay
        self.slugPrefix = slugPrefix
        self.limits = limits
    }

    public static let fields = Fields(AccountUpdate(account: ""), alias: .init(name: "slug", field: "account")) {
        Field("account", \.account, .slug)
        Field("display_name", \.displayName, .displayName)
        Field("plan", \.plan, .plan)
        Field("timezone", \.timezone, .timezone)
        Field("billing_anchor_day", \.billingAnchorDay, .anchorDay)
        Field("slug_prefix", \.slugPrefix, .slugPrefix)
        Field("limits", \.limits, .limits(forTenants: false))
    }

    public static let example = AccountUpdate(
        account: "acme", displayName: "Acme Ltd", limits: .set(Limits([.messages: .most(1_000_000)])))

    public static let resultSchema = Schema.object(
        required: ["account", "plan"], ["account": Slug.schema, "plan": Schema.plan])
}
