extension Kind {
    public static let tenantUpdate = Kind(
        "tenant.update", family: .tenant, needsTenant: true,
        access: Access(account: true, tenant: .scope(.settingsWrite)), states: .counted, isAudited: true,
        summary: "Changes a tenant's name, plan, settings, billing or limits; a tenant's own may change its settings.")
}

/// `tenant.update` (contract, section 4): what is not named stays as it is.
public struct TenantUpdate: JobPayload, Equatable {
    public static let kind = Kind.tenantUpdate

    public var displayName: String?
    /// Clearing inherits the account's.
    public var plan: Change<String>
    public var environment: String?
    /// A JSON merge patch (RFC 7396): a null removes its key.
    public var settings: [String: JSONValue]?
    public var billingMode: TenantCreate.BillingMode?
    public var stripeAccount: Change<String>
    /// A limit that is named replaces the tenant's own; clearing takes all its own limits away.
    public var limits: Change<Limits>

    public init(
        displayName: String? = nil, plan: Change<String> = .keep, environment: String? = nil,
        settings: [String: JSONValue]? = nil, billingMode: TenantCreate.BillingMode? = nil,
        stripeAccount: Change<String> = .keep, limits: Change<Limits> = .keep
    ) {
        self.displayName = displayName
        self.plan = plan
        self.environment = environment
        self.settings = settings
        self.billingMode = billingMode
        self.stripeAccount = stripeAccount
        self.limits = limits
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case plan, environment, settings, limits
        case displayName = "display_name"
        case billingMode = "billing_mode"
        case stripeAccount = "stripe_account"
    }

    /// The first field, if any, that is not the tenant's own to change.
    public var fieldOfTheAccount: String? {
        if displayName != nil { return CodingKeys.displayName.rawValue }
        if plan != .keep { return CodingKeys.plan.rawValue }
        if environment != nil { return CodingKeys.environment.rawValue }
        if billingMode != nil { return CodingKeys.billingMode.rawValue }
        if stripeAccount != .keep { return CodingKeys.stripeAccount.rawValue }
        return limits != .keep ? CodingKeys.limits.rawValue : nil
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        displayName = try container.decodeIfPresent(String.self, forKey: .displayName)
        plan = try container.decodeChange(String.self, forKey: .plan)
        environment = try container.decodeIfPresent(String.self, forKey: .environment)
        settings = try container.decodeIfPresent([String: JSONValue].self, forKey: .settings)
        billingMode = try container.decodeIfPresent(TenantCreate.BillingMode.self, forKey: .billingMode)
        stripeAccount = try container.decodeChange(String.self, forKey: .stripeAccount)
        limits = try container.decodeChange(Limits.self, forKey: .limits)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(displayName, forKey: .displayName)
        try container.encode(plan, forKey: .plan)
        try container.encodeIfPresent(environment, forKey: .environment)
        try container.encodeIfPresent(settings, forKey: .settings)
        try container.encodeIfPresent(billingMode, forKey: .billingMode)
        try container.encode(stripeAccount, forKey: .stripeAccount)
        try container.encode(limits, forKey: .limits)
    }

    public func validate() throws(Rejection) {
        try Rule.require(
            settings != nil || fieldOfTheAccount != nil, "",
            "changes nothing: name one of \(CodingKeys.allCases.map(\.rawValue).sorted().joined(separator: ", "))")
        try Rule.length(displayName, 1...200, "/display_name")
        try Rule.length(plan.value, 1...64, "/plan")
        try Rule.environment(environment, "/environment")
        try Rule.length(stripeAccount.value, 1...255, "/stripe_account")
        try Rule.settings(settings, "/settings")
        try Rule.limits(limits.value, forTenants: true, "/limits")
    }

    public static let schema = Schema.object([
        "display_name": Schema.optional(Schema.displayName), "plan": Schema.optional(Schema.plan),
        "environment": Schema.optional(Schema.pattern(Schema.environmentPattern)),
        "settings": Schema.settings.mergePatch(["description": "A JSON merge patch; null removes a key."]),
        "billing_mode": Schema.optional(TenantCreate.BillingMode.schema),
        "stripe_account": Schema.optional(Schema.text(1...255)), "limits": Limits.schema(forTenants: true),
    ]).mergePatch(
        Schema.atLeastOne(
            of: ["display_name", "environment", "settings", "billing_mode"], orNull: ["plan", "stripe_account", "limits"]))

    public static let resultSchema = Schema.object(
        required: ["tenant", "changed"], ["tenant": Slug.schema, "changed": Schema.list(Schema.anyText)])
}
