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

    public static let fields = Fields(TokenIssue(name: "", scopes: [])) {
        Field("name", \.name, .text(1...128))
        Field("scopes", \.scopes, .list(.word).checked("must name at least one scope", schema: ["minItems": 1]) { !$0.isEmpty })
        Field("expires_at", \.expiresAt, .instant)
    }

    public static let example = TokenIssue(name: "website", scopes: [.corpusRead, .conversationWrite])

    public static let resultSchema = Schema.object(required: ["key"], ["key": Schema.anyText, "secret": Schema.anyText])
}
