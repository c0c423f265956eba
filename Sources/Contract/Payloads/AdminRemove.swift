extension Kind {
    public static let adminRemove = Kind(
        "admin.remove", family: .tenant, access: Access(account: true, tenant: .administrator), states: .alive,
        isAudited: true, summary: "Takes an administrator away, and the credential with it.")
}

/// `admin.remove` (contract, section 4): of the account or, with the header tenant, of that tenant.
public struct AdminRemove: JobPayload, Equatable {
    public static let kind = Kind.adminRemove

    public var email: String

    public init(email: String) {
        self.email = email
    }

    public static let fields = Fields(AdminRemove(email: "")) {
        Field("email", \.email, .email)
    }

    public static let resultSchema = Schema.object(required: ["email"], ["email": Schema.email, "role": AdminCreate.Role.schema])
}
