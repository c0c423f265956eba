extension Kind {
    public static let tenantUpdate = Kind(
        "tenant.update", family: .tenant, needsTenant: true,
        access: Access(account: true, tenant: .scope(.settingsWrite)), states: .counted, isAudited: true, takesPrecondition: true,
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

    /// The first field, if any, that is not the tenant's own to change.
    public var fieldOfTheAccount: String? {
        let given = Self.fields.write(self)
        return Self.fields.names.first { $0 != "settings" && given[$0] != nil }
    }

    public static let fields: Fields<TenantUpdate> = Fields(TenantUpdate(), rules: [changesSomething]) {
        Field("display_name", \.displayName, .displayName)
        Field("plan", \.plan, .plan)
        Field("environment", \.environment, .environment)
        Field("settings", \.settings, .settings.described("A JSON merge patch; null removes a key."))
        Field("billing_mode", \.billingMode, .word)
        Field("stripe_account", \.stripeAccount, .text(1...255))
        Field("limits", \.limits, .limits(forTenants: true))
    }

    private static let changesSomething = FieldRule<TenantUpdate>(
        schema: Schema.atLeastOne(
            of: ["display_name", "environment", "settings", "billing_mode"], orNull: ["plan", "stripe_account", "limits"])
    ) { payload throws(FieldFailure) in
        guard fields.write(payload) != .object([:]) else {
            throw FieldFailure("changes nothing: name one of \(fields.names.sorted().joined(separator: ", "))")
        }
    }

    public static let example = TenantUpdate(
        displayName: "The shop", settings: ["greeting": "Good day!", "colour": .null])

    public static let resultSchema = Schema.object(
        required: ["tenant", "changed"], ["tenant": Slug.schema, "changed": Schema.list(Schema.anyText)])
}
