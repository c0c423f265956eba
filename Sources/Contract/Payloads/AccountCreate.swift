extension Kind {
    public static let accountCreate = Kind(
        "account.create", family: .account, access: Access(operator: true), isControl: true, isAudited: true,
        summary: "Opens an account; the answer shows its first secret, once.")
}

/// `account.create` (contract, section 4).
public struct AccountCreate: JobPayload, Equatable {
    public static let kind = Kind.accountCreate

    public var slug: String
    /// 1 to 200 characters.
    public var displayName: String
    public var plan: String
    /// An IANA name; only its shape is checked here.
    public var timezone: String
    /// 1 to 31: the day of the month on which the account's periods begin.
    public var billingAnchorDay: Int
    public var slugPrefix: String?
    public var limits: Limits?

    public init(
        slug: String, displayName: String, plan: String, timezone: String = "UTC", billingAnchorDay: Int = 1,
        slugPrefix: String? = nil, limits: Limits? = nil
    ) {
        self.slug = slug
        self.displayName = displayName
        self.plan = plan
        self.timezone = timezone
        self.billingAnchorDay = billingAnchorDay
        self.slugPrefix = slugPrefix
        self.limits = limits
    }

    public static let fields = Fields(AccountCreate(slug: "", displayName: "", plan: "")) {
        Field("slug", \.slug, .slug)
        Field("display_name", \.displayName, .displayName)
        Field("plan", \.plan, .plan)
        Field("timezone", \.timezone, .timezone, default: "UTC")
        Field("billing_anchor_day", \.billingAnchorDay, .anchorDay, default: 1)
        Field("slug_prefix", \.slugPrefix, .slugPrefix)
        Field("limits", \.limits, .limits(forTenants: false))
    }

    public static let example = AccountCreate(
        slug: "acme", displayName: "Acme", plan: "enterprise-plus", timezone: "Europe/Zurich")

    public static let resultSchema = Schema.object(
        required: ["account"], ["account": Slug.schema, "key": Schema.anyText, "secret": Schema.anyText])
}
