extension Kind {
    public static let adminRemove = Kind(
        "admin.remove", family: .tenant, access: Access(account: true, tenant: .administrator), states: .alive,
        isAudited: true, summary: "Takes an administrator away, and the credential with it.")
}

/// `admin.remove` (contract, section 4): of the account or, with the header tenant, of that tenant.
public struct AdminRemove: JobPayload, Equatable {
    public static let kind = Kind.adminRemove

    public var email: String
    /// Whether the tokens and administrators that the person made stay; otherwise they end with the person.
    public var keepIssued: Bool

    public init(email: String, keepIssued: Bool = false) {
        self.email = email
        self.keepIssued = keepIssued
    }

    public static let fields = Fields(AdminRemove(email: "")) {
        Field("email", \.email, .email)
        Field("keep_issued", \.keepIssued, .boolean, default: false)
    }

    public static let example = AdminRemove(email: "ann@example.com")

    /// What ended with the person: keys of tokens, and administrators. Of each the first thousand are named; the counts are of all.
    public static let resultSchema = Schema.object(
        required: ["email", "revoked", "removed"],
        [
            "email": Schema.email, "role": AdminCreate.Role.schema, "revoked": Schema.list(Schema.anyText),
            "revoked_count": Schema.count,
            "removed": Schema.list(
                Schema.object(
                    required: ["email", "role"],
                    ["email": Schema.email, "role": AdminCreate.Role.schema, "tenant": Schema.optional(Slug.schema)])),
            "removed_count": Schema.count,
        ])
}
