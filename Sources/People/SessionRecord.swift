internal import Contract
public import Jobs
public import Postgres

/// A session: what somebody has who signed in by e-mail and password, or to the console with a credential.
public struct SessionRecord: Sendable {
    /// Of its credential; the secret was shown once.
    public let key: String
    /// The person's address; of a session that a credential opened, what that is for.
    public let email: String
    /// nil: an operator's.
    public let account: String?
    /// nil: of the whole account.
    public let tenant: String?
    public let createdAt: Timestamp
    public let expiresAt: Timestamp
    /// To the minute; nil: never.
    public let lastUsedAt: Timestamp?

    public static let representation = Representation<SessionRecord> {
        Representation.Member.text("key", \.key)
        Representation.Member.text("email", \.email)
        Representation.Member.text("account", \.account)
        Representation.Member.text("tenant", \.tenant)
        Representation.Member.instant("created_at", \.createdAt)
        Representation.Member.instant("expires_at", \.expiresAt)
        Representation.Member.instant("last_used_at", \.lastUsedAt)
    }

    public var position: [String] { [createdAt.rfc3339, key] }

    /// A page of the sessions that have not ended, newest first: the asker's own, and for an account's credential and administrators those of all
    /// its people.
    public static func page(
        of principal: Principal, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [SessionRecord] {
        let seesAll = principal.role == .account || principal.role == .accountAdmin
        let start = PageStart(after: position)
        return try database.query(
            SQL.list, principal.key, seesAll ? principal.account : nil, start.time(0), start.text(1), limit
        ).decode(SessionRecord.init)
    }

    /// Ends a session straight in the database.
    ///
    /// - Parameter actor: whom the audit log names.
    /// - Returns: whether there was one.
    public static func end(_ key: String, by actor: String, on database: inout Connection) throws(PostgresError) -> Bool {
        try database.transaction { (database: inout Transaction) throws(PostgresError) -> Bool in
            guard let (account, tenant) = try database.query(SQL.end, key).first((String, String?).self) else { return false }
            try AuditLog.append(
                .init(
                    command: AuditedDeed.signOut.rawValue, account: account, tenant: tenant, actor: actor,
                    details: ["payload": ["key": .string(key)]]),
                on: &database)
            return true
        }
    }

    enum SQL {
        static let end: Statement = """
            update tenantry.credentials set revoked_at = now()
            where key = $1 and (administrator is not null and isfinite(expires_at) or session_of is not null)
              and revoked_at is null and expires_at > now()
            returning coalesce(account, ''), tenant
            """
        static let list: Statement = """
            select c.key, c.name, c.account, c.tenant, c.created_at, c.expires_at, u.last_used_at
            from tenantry.credentials c left join tenantry.credential_uses u on u.key = c.key
            where (c.administrator is not null and isfinite(c.expires_at) or c.session_of is not null)
              and c.revoked_at is null and c.expires_at > now()
              and (c.account = $2 or c.key = $1 or c.session_of = $1
                   or c.administrator = (select o.administrator from tenantry.credentials o where o.key = $1)
                   or c.session_of = (select o.session_of from tenantry.credentials o where o.key = $1))
              and (c.created_at, c.key) < ($3, $4)
            order by c.created_at desc, c.key desc limit $5
            """
    }
}
