public import Postgres

/// A person who administers an account or one of its tenants.
public struct AdministratorSummary: Sendable {
    public let email: String
    public let displayName: String
    /// `account_admin` or `tenant_admin`.
    public let role: String
    public let account: String
    /// nil: the whole account's.
    public let tenant: String?
    /// Whether the person can sign in; one without a password works with the credential that `admin.create` gave.
    public let hasPassword: Bool
    public let createdAt: Timestamp

    /// Everybody, ordered by account, then its own administrators before those of its tenants, then by address.
    ///
    /// - Parameter account: only of this account and its tenants; nil: of all.
    public static func list(
        account: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AdministratorSummary] {
        try database.query(SQL.list, account).decode(AdministratorSummary.init)
    }

    enum SQL {
        static let columns = "email, display_name, role, account, tenant, has_password, created_at"
        static let list = Statement(
            """
            select \(columns) from tenantry.administrators
            where $1::text is null or account = $1 order by account, tenant nulls first, email
            """)
    }
}
