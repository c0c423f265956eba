/// What a tenant's token may be allowed to do. Writing does not include reading.
public enum Scope: String, Sendable, CaseIterable, ClosedWord {
    case settingsRead = "settings:read"
    case settingsWrite = "settings:write"
    case corpusRead = "corpus:read"
    case corpusWrite = "corpus:write"
    case conversationRead = "conversation:read"
    case conversationWrite = "conversation:write"
    case conversationErase = "conversation:erase"
    case usageRead = "usage:read"
    case tokensRead = "tokens:read"
}

/// Who may send a kind. A credential that is not named here is answered with `forbidden`.
public struct Access: Sendable, Hashable {
    /// Which of a tenant's own credentials may send a kind for that tenant.
    public enum TenantAccess: Sendable, Hashable {
        case none
        /// Its administrators, but no token.
        case administrator
        /// Its administrators and every token.
        case any
        /// Its administrators, and tokens with the scope.
        case scope(Scope)
    }

    public let `operator`: Bool
    public let account: Bool
    /// Whether an account's administrators may send it, as the account's own credential may.
    public let accountAdministrator: Bool
    public let tenant: TenantAccess
    /// The fleet itself sends this kind, periodically.
    public let fleet: Bool

    /// - Parameter accountAdministrator: nil: as the account.
    public init(
        operator: Bool = false, account: Bool = false, accountAdministrator: Bool? = nil, tenant: TenantAccess = .none,
        fleet: Bool = false
    ) {
        self.operator = `operator`
        self.account = account
        self.accountAdministrator = accountAdministrator ?? account
        self.tenant = tenant
        self.fleet = fleet
    }
}
