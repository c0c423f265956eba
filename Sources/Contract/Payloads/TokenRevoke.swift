extension Kind {
    public static let tokenRevoke = Kind(
        "token.revoke", family: .tenant, access: Access(account: true, tenant: .any), states: .alive, isControl: true,
        isAudited: true,
        summary: "Withdraws a token; it stops working within 30 seconds.")
}

/// `token.revoke` (contract, section 4): the token is named by its key, by its name, or by both.
public struct TokenRevoke: JobPayload, Equatable {
    public static let kind = Kind.tokenRevoke

    public var key: String?
    public var name: String?

    public init(key: String? = nil, name: String? = nil) {
        self.key = key
        self.name = name
    }

    public static let fields = Fields(TokenRevoke(), rules: [.atLeastOne("key", \.key, "name", \.name)]) {
        Field("key", \.key, .text(1...128))
        Field("name", \.name, .text(1...128))
    }

    public static let example = TokenRevoke(name: "website")

    /// The keys that were withdrawn: what the tokens handed on goes with them.
    public static let resultSchema = Schema.object(required: ["revoked"], ["revoked": Schema.list(Schema.anyText)])
}
