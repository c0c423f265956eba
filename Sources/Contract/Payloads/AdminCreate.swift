extension Kind {
    public static let adminCreate = Kind(
        "admin.create", family: .tenant, access: Access(account: true, tenant: .administrator), isAudited: true,
        takesPassword: true, summary: "Makes a person an administrator of the account or, with the header tenant, of that tenant."
    )
}

/// `admin.create` (contract, section 4).
public struct AdminCreate: JobPayload, Equatable {
    public static let kind = Kind.adminCreate

    public enum Role: String, Sendable, CaseIterable, ClosedWord {
        case accountAdmin = "account_admin"
        case tenantAdmin = "tenant_admin"
    }

    /// At most 254 bytes; one person, whatever the case of its letters.
    public var email: String
    /// 1 to 200 characters.
    public var displayName: String
    public var role: Role
    /// 8 to 256 characters; nil: signs in with the credential alone.
    public var password: String?

    public init(email: String, displayName: String, role: Role, password: String? = nil) {
        self.email = email
        self.displayName = displayName
        self.role = role
        self.password = password
    }

    public static let fields = Fields(AdminCreate(email: "", displayName: "", role: .tenantAdmin)) {
        Field("email", \.email, .email)
        Field("display_name", \.displayName, .displayName)
        Field("role", \.role, .word)
        Field("password", \.password, .text(8...256)).neverAudited
    }

    public static let example = AdminCreate(
        email: "ann@example.com", displayName: "Ann", role: .accountAdmin, password: "correct horse battery staple")

    public static let resultSchema = Schema.object(
        required: ["email", "role", "key"],
        ["email": Schema.email, "role": Role.schema, "key": Schema.anyText, "secret": Schema.anyText])
}
