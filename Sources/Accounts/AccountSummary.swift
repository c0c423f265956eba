public import Postgres

/// An account: its name, plan and state.
public struct AccountSummary: Sendable {
    public let slug: String
    public let displayName: String
    public let plan: String
    /// `active` or `suspended`.
    public let state: String

    /// One account; nil if there is none of this slug.
    public static func find(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> AccountSummary? {
        try database.query(SQL.find, slug).decode(AccountSummary.init).first
    }

    enum SQL {
        static let find: Statement = "select slug, display_name, plan, state from tenantry.accounts where slug = $1"
    }
}
