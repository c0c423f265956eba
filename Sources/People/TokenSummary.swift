internal import Contract
public import Jobs
public import Postgres

/// A token as it is shown: its key, which is the visible part of the credential, and never the secret.
public struct TokenSummary: Sendable {
    public let key: String
    public let name: String
    /// In ascending order.
    public let scopes: [String]
    /// nil: it is good for all tenants of its account.
    public let tenant: String?
    public let createdAt: Timestamp
    /// `.distantFuture`: never.
    public let expiresAt: Timestamp
    public let revokedAt: Timestamp?
    /// Over HTTP, to the minute; nil: never.
    public let lastUsedAt: Timestamp?

    public static let representation = Representation<TokenSummary> {
        Member.text("key", \.key)
        // What the token begins with, by which it is recognized.
        Member.text("prefix", \.key)
        Member.text("name", \.name)
        Member.texts("scopes", \.scopes)
        Member.text("tenant", \.tenant)
        Member.instant("created_at", \.createdAt)
        Member.instant("expires_at", \.expiresAt)
        Member.instant("revoked_at", \.revokedAt)
        Member.instant("last_used_at", \.lastUsedAt)
    }

    private typealias Member = Representation<TokenSummary>.Member

    public var position: [String] { [createdAt.rfc3339, key] }

    /// A page of an account's tokens, the newest first.
    ///
    /// - Parameters:
    ///   - tenant: only those that are limited to this tenant; nil: all of the account's.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String, tenant: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TokenSummary] {
        let start = PageStart(after: position)
        return try database.query(SQL.page, account, tenant, start.time(0), start.text(1), limit).decode(TokenSummary.init)
    }

    /// One token of an account; nil if it has none of this key, or this tenant, where one is named, has not.
    public static func find(
        _ key: String, account: String, tenant: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> TokenSummary? {
        try database.query(SQL.find, key, account, tenant).decode(TokenSummary.init).first
    }

    enum SQL {
        private static let columns = """
            key, name, array(select unnest(scopes) order by 1), tenant, created_at, expires_at, revoked_at,
                   (select u.last_used_at from tenantry.credential_uses u where u.key = credentials.key)
            """
        /// `$1` account, `$2` tenant, `$3`, `$4` the place before, `$5` the most rows.
        static let page = Statement(
            """
            select \(columns) from tenantry.credentials
            where role = 'token' and session_of is null and account = $1 and ($2::text is null or tenant = $2) and (created_at, key) < ($3, $4)
            order by created_at desc, key desc limit $5
            """)
        static let find = Statement(
            """
            select \(columns) from tenantry.credentials
            where role = 'token' and session_of is null and key = $1 and account = $2 and ($3::text is null or tenant = $3)
            """)
    }
}
