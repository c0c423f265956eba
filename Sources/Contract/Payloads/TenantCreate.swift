extension Kind {
    public static let tenantCreate = Kind(
        "tenant.create", family: .tenant, access: Access(account: true), isAudited: true,
        summary: "Opens a tenant under the account, in a PostgreSQL schema of its own.")
}

/// `tenant.create` (contract, section 4).
public struct TenantCreate: JobPayload, Equatable {
    public static let kind = Kind.tenantCreate

    public enum BillingMode: String, Sendable, CaseIterable, ClosedWord {
        case consolidated, separate
    }

    public var slug: String
    /// 1 to 200 characters.
    public var displayName: String
    /// nil is inherited from the account.
    public var plan: String?
    /// A word such as production, staging, development or test.
    public var environment: String
    public var template: String?
    public var billingMode: BillingMode
    public var stripeAccount: String?
    public var settings: [String: JSONValue]?
    public var limits: Limits?

    public init(
        slug: String, displayName: String, plan: String? = nil, environment: String = "production", template: String? = nil,
        billingMode: BillingMode = .consolidated, stripeAccount: String? = nil, settings: [String: JSONValue]? = nil,
        limits: Limits? = nil
    ) {
        self.slug = slug
        self.displayName = displayName
        self.plan = plan
        self.environment = environment
        self.template = template
        self.billingMode = billingMode
        self.stripeAccount = stripeAccount
        self.settings = settings
        self.limits = limits
    }

    enum CodingKeys: String, CodingKey {
        case slug, plan, environment, template, settings, limits
        case displayName = "display_name"
        case billingMode = "billing_mode"
        case stripeAccount = "stripe_account"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        slug = try container.decode(String.self, forKey: .slug)
        displayName = try container.decode(String.self, forKey: .displayName)
        plan = try container.decodeIfPresent(String.self, forKey: .plan)
        environment = try container.decodeIfPresent(String.self, forKey: .environment) ?? "production"
        template = try container.decodeIfPresent(String.self, forKey: .template)
        billingMode = try container.decodeIfPresent(BillingMode.self, forKey: .billingMode) ?? .consolidated
        stripeAccount = try container.decodeIfPresent(String.self, forKey: .stripeAccount)
        settings = try container.decodeIfPresent([String: JSONValue].self, forKey: .settings)
        limits = try container.decodeIfPresent(Limits.self, forKey: .limits)
    }

    public func validate() throws(Rejection) {
        try Rule.slug(slug, "/slug")
        try Rule.length(displayName, 1...200, "/display_name")
        try Rule.length(plan, 1...64, "/plan")
        try Rule.environment(environment, "/environment")
        try Rule.length(template, 1...128, "/template")
        try Rule.length(stripeAccount, 1...255, "/stripe_account")
        try Rule.settings(settings, "/settings")
        try Rule.limits(limits, forTenants: true, "/limits")
    }

    public static let schema = Schema.object(
        required: ["slug", "display_name"],
        [
            "slug": Slug.schema, "display_name": Schema.displayName, "plan": Schema.optional(Schema.plan),
            "environment": Schema.optional(Schema.pattern(Schema.environmentPattern), default: "production"),
            "template": Schema.optional(Schema.text(1...128)),
            "billing_mode": Schema.optional(BillingMode.schema, default: "consolidated"),
            "stripe_account": Schema.optional(Schema.text(1...255)), "settings": Schema.settings,
            "limits": Limits.schema(forTenants: true),
        ])

    public static let resultSchema = Schema.object(
        required: ["tenant", "schema"], ["tenant": Slug.schema, "schema": Schema.anyText])
}
