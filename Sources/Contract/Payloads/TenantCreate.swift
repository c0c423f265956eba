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

    public static let fields = Fields(TenantCreate(slug: "", displayName: "")) {
        Field("slug", \.slug, .slug)
        Field("display_name", \.displayName, .displayName)
        Field("plan", \.plan, .plan)
        Field("environment", \.environment, .environment, default: "production")
        Field("template", \.template, .text(TemplateSave.nameLengths))
        Field("billing_mode", \.billingMode, .word, default: .consolidated)
        Field("stripe_account", \.stripeAccount, .text(1...255))
        Field("settings", \.settings, .settings)
        Field("limits", \.limits, .limits(forTenants: true))
    }

    public static let example = TenantCreate(
        slug: "acme-shop", displayName: "Acme's shop", settings: ["greeting": "Hello!"])

    public static let resultSchema = Schema.object(
        required: ["tenant", "schema"], ["tenant": Slug.schema, "schema": Schema.anyText])
}
