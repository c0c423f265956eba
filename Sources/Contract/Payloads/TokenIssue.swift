extension Kind {
    public static let tokenIssue = Kind(
        "token.issue", family: .tenant, access: Access(account: true, tenant: .any), isAudited: true,
        summary: "Issues a token; with the header tenant it is limited to that tenant.")
}

/// `token.issue` (contract, section 4).
public struct TokenIssue: JobPayload, Equatable {
    public static let kind = Kind.tokenIssue

    /// 1 to 128 characters.
    public var name: String
    /// At least one.
    public var scopes: [Scope]
    /// nil never expires.
    public var expiresAt: Instant?

    public init(name: String, scopes: [Scope], expiresAt: Instant? = nil) {
        self.name = name
        self.scopes = scopes
        self.expiresAt = expiresAt
    }

    enum CodingKeys: String, CodingKey {
        case name, scopes
        case expiresAt = "expires_at"
    }

    public func validate() throws(Rejection) {
        try Rule.length(name, 1...128, "/name")
        try Rule.require(!scopes.isEmpty, "/scopes", "must name at least one scope")
    }

    public static let schema = Schema.object(
        required: ["name", "scopes"],
        [
            "name": Schema.text(1...128), "scopes": Schema.list(Scope.schema).mergePatch(["minItems": 1]),
            "expires_at": Schema.optional(Instant.schema),
        ])

    public static let resultSchema = Schema.object(required: ["key"], ["key": Schema.anyText, "secret": Schema.anyText])
}
