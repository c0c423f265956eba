extension Kind {
    public static let accountUpdate = Kind(
        "account.update", family: .account, access: Access(operator: true), isAudited: true,
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

    enum CodingKeys: String, CodingKey {
        case account, slug, plan, timezone, limits
        case displayName = "display_name"
        case billingAnchorDay = "billing_anchor_day"
        case slugPrefix = "slug_prefix"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let named = try container.decodeIfPresent(String.self, forKey: .account)
        let slug = try container.decodeIfPresent(String.self, forKey: .slug)
        guard let account = named ?? slug else {
            throw DecodingError.unacceptable("is missing", at: [CodingKeys.account])
        }
        guard slug ?? account == account else {
            throw DecodingError.unacceptable("names another account than /account does", at: [CodingKeys.slug])
        }
        self.account = account
        displayName = try container.decodeIfPresent(String.self, forKey: .displayName)
        plan = try container.decodeIfPresent(String.self, forKey: .plan)
        timezone = try container.decodeIfPresent(String.self, forKey: .timezone)
        billingAnchorDay = try container.decodeInteger(Int.self, forKey: .billingAnchorDay)
        slugPrefix = try container.decodeChange(String.self, forKey: .slugPrefix)
        limits = try container.decodeChange(Limits.self, forKey: .limits)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(account, forKey: .account)
        try container.encodeIfPresent(displayName, forKey: .displayName)
        try container.encodeIfPresent(plan, forKey: .plan)
        try container.encodeIfPresent(timezone, forKey: .timezone)
        try container.encodeIfPresent(billingAnchorDay, forKey: .billingAnchorDay)
        try container.encode(slugPrefix, forKey: .slugPrefix)
        try container.encode(limits, forKey: .limits)
    }

    public func validate() throws(Rejection) {
        try Rule.slug(account, "/account")
        try Rule.length(displayName, 1...200, "/display_name")
        try Rule.length(plan, 1...64, "/plan")
        try Rule.timezone(timezone, "/timezone")
        try Rule.anchorDay(billingAnchorDay, "/billing_anchor_day")
        try Rule.slugPrefix(slugPrefix.value, "/slug_prefix")
    }

    public static let schema: JSONValue = Schema.object([
        "account": Schema.optional(Slug.schema), "slug": Schema.optional(Slug.schema),
        "display_name": Schema.optional(Schema.displayName), "plan": Schema.optional(Schema.plan),
        "timezone": Schema.optional(Schema.timezone), "billing_anchor_day": Schema.optional(Schema.anchorDay),
        "slug_prefix": Schema.optional(Schema.slugPrefix), "limits": Limits.schema(forTenants: false),
    ]).mergePatch(Schema.atLeastOne(of: ["account", "slug"]))

    public static let resultSchema = Schema.object(
        required: ["account", "plan"], ["account": Slug.schema, "plan": Schema.plan])
}
