internal import Contract
public import Jobs
public import Postgres

/// A session of the console: a credential of its own, which a browser keeps in a cookie.
///
/// Whoever signs in by a password gets one by ``SignIn``; whoever pastes a credential, one that holds no longer than that.
public struct ConsoleSession: Sendable {
    public let key: String
    /// Whom it speaks for: an address, or what the credential is for.
    public let name: String
    /// nil: an operator's.
    public let account: String?
    public let accountName: String?
    public let tenant: String?
    /// The zone of the account's clock; `UTC` for operators.
    public let timezone: String
    /// The credential that opened it; nil: a password did.
    public let openedWith: String?
    /// Why an operator looks at an account as that account; nil: nobody does.
    public let reason: String?
    public let expiresAt: Timestamp
    /// Seconds since it was last used, to the minute.
    public let idleSeconds: Double

    /// A session that was not used for so long is over.
    public static let mostIdleSeconds = 2.0 * 3_600
    /// How long an operator may look at an account.
    public static let impersonationSeconds: Int64 = 3_600

    /// Opens a session for whoever has a credential.
    ///
    /// - Parameter bearer: a credential whose secret was checked.
    /// - Returns: nil where it may have none: it holds no longer, or is a session's already.
    public static func open(
        with bearer: Bearer, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> SignIn.Session? {
        try open(with: bearer.key, seconds: SignIn.lifetimeSeconds, account: nil, reason: nil, on: &database)
    }

    /// Opens a session in which an operator sees and does what an account's administrators may, for an hour. The audit logs of both say so.
    ///
    /// - Parameters:
    ///   - key: an operator's credential, or session.
    ///   - reason: 1 to 500 characters.
    /// - Returns: nil where the key is no operator's, or there is no such account.
    public static func impersonate(
        _ account: String, because reason: String, as key: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> SignIn.Session? {
        try open(with: key, seconds: impersonationSeconds, account: account, reason: reason, on: &database)
    }

    private static func open(
        with key: String, seconds: Int64, account: String?, reason: String?, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> SignIn.Session? {
        let bearer = Bearer.make(prefix: "con")
        let end = Timestamp(microsecondsSince1970: SystemClock.nowMicroseconds() + seconds * 1_000_000)
        let isMade = try database.query(SQL.open, key, bearer.key, bearer.secretHash, end, account, reason).only(Bool.self)
        return isMade ? SignIn.Session(key: bearer.key, secret: bearer.secret, expiresAt: end) : nil
    }

    /// What is known of a session; nil: no such session holds.
    public static func find(
        _ key: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> ConsoleSession? {
        try database.query(SQL.find, key).decode(ConsoleSession.init).first
    }

    /// Whether somebody at a session knows the password, or the credential, that it was opened with: asked again before what cannot be undone.
    ///
    /// - Parameters:
    ///   - proof: a password, or a credential `<key>.<secret>`.
    ///   - address: the network address that it comes from, for which wrong ones are counted.
    /// - Throws: ``SignIn/Refusal`` (`throttled`); `PostgresError`.
    public static func isProven(
        _ key: String, by proof: String, from address: String, on database: inout Connection
    ) throws -> Bool {
        let attempt = try SignInThrottle.admit(email: "session \(key)", address: address, on: &database)
        guard try matches(key, proof, on: &database) else { return false }
        try attempt.forget(on: &database)
        return true
    }

    private static func matches(_ key: String, _ proof: String, on database: inout Connection) throws -> Bool {
        let found = try database.query(SQL.proof, key).first((String?, String?, [UInt8]?).self)
        guard let (password, openedWith, secretHash) = found else { return false }
        if let openedWith, let secretHash {
            guard let bearer = Bearer(proof) else { return false }
            return bearer.key == openedWith && secretHash.isEqualInConstantTime(to: bearer.secretHash)
        }
        guard let hash = password.flatMap({ PasswordHash($0) }) else { return false }
        return try hash.matches(proof)
    }

    enum SQL {
        static let open: Statement = "select tenantry.open_session($1, $2, $3, $4, $5, $6)"
        static let find: Statement = """
            select c.key, c.name, c.account, a.display_name, c.tenant, coalesce(a.timezone, 'UTC'), c.session_of, c.reason,
                   c.expires_at, extract(epoch from now() - greatest(c.created_at, u.last_used_at))::float8
            from tenantry.credentials c
            left join tenantry.accounts a on a.slug = c.account
            left join tenantry.credential_uses u on u.key = c.key
            where c.key = $1 and c.revoked_at is null and c.expires_at > now()
              and (c.session_of is not null or c.administrator is not null and isfinite(c.expires_at))
            """
        /// An operator who looks at an account proves it by the operator's own credential.
        static let proof: Statement = """
            select p.password_hash, o.key, o.secret_hash
            from tenantry.credentials c
            left join tenantry.administrators p on p.id = c.administrator
            left join tenantry.credentials s on s.key = c.session_of
            left join tenantry.credentials o on o.key = coalesce(s.session_of, s.key)
            where c.key = $1
            """
    }
}
