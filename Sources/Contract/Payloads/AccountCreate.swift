extension Kind {
    public static let accountCreate = Kind(
        "account.create", family: .account, access: Access(operator: true), isAudited: true,
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

    enum CodingKeys: String, CodingKey {
        case slug, plan, timezone, limits
        case displayName = "display_name"
        case billingAnchorDay = "billing_anchor_day"
        case slugPrefix = "slug_prefix"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        slug = try container.decode(String.self, forKey: .slug)
        displayName = try container.decode(String.self, forKey: .displayName)
        plan = try container.decode(String.self, forKey: .plan)
        timezone = try container.decodeIfPresent(String.self, forKey: .timezone) ?? "UTC"
        billingAnchorDay = try container.decodeInteger(Int.self, forKey: .billingAnchorDay) ?? 1
        slugPrefix = try container.decodeIfPresent(String.self, forKey: .slugPrefix)
        limits = try container.decodeIfPresent(Limits.self, forKey: .limits)
    }

    public func validate() throws(Rejection) {
        try Rule.slug(slug, "/slug")
        try Rule.length(displayName, 1...200, "/display_name")
        try Rule.length(plan, 1...64, "/plan")
        try Rule.timezone(timezone, "/timezone")
        try Rule.anchorDay(billingAnchorDay, "/billing_anchor_day")
        try Rule.slugPrefix(slugPrefix, "/slug_prefix")
    }

    public static let schema = Schema.object(
        required: ["slug", "display_name", "plan"],
        [
            "slug": Slug.schema, "display_name": Schema.displayName, "plan": Schema.plan,
            "timezone": Schema.optional(Schema.timezone, default: "UTC"),
            "billing_anchor_day": Schema.optional(Schema.anchorDay, default: 1),
            "slug_prefix": Schema.optional(Schema.slugPrefix), "limits": Limits.schema(forTenants: false),
        ])

    public static let resultSchema = Schema.object(
        required: ["account"], ["account": Slug.schema, "key": Schema.anyText, "secret": Schema.anyText])
}
