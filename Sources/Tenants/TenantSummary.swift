public import Contract
public import Postgres

/// A tenant as it stands in a list.
public struct TenantSummary: Sendable {
    public let slug: String
    public let account: String
    /// The name of its schema in the database.
    public let schema: String
    public let displayName: String
    /// nil: the account's.
    public let plan: String?
    public let environment: String
    public let state: TenantState

    /// The tenants, ordered by account and slug. A filter that is nil lets everything pass.
    public static func list(
        account: String? = nil, state: TenantState? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TenantSummary] {
        try database.query(SQL.list, account, state?.rawValue).decode(TenantSummary.init)
    }

    /// One tenant; nil if there is none of this slug.
    public static func find(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> TenantSummary? {
        try database.query(SQL.find, slug).decode(TenantSummary.init).first
    }

    enum SQL {
        private static let columns = "slug, account, schema_name, display_name, plan, environment, state"
        static let list = Statement(
            """
            select \(columns) from tenantry.tenants
            where ($1::text is null or account = $1) and ($2::text is null or state = $2) order by account, slug
            """)
        static let find = Statement("select \(columns) from tenantry.tenants where slug = $1")
    }
}

extension TenantState: ColumnValue {
    /// The column has no other words than these: a constraint sees to it.
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> TenantState {
        let word = rows.text(row, column)
        guard let state = TenantState(rawValue: word) else { preconditionFailure("\(word) is no state of a tenant") }
        return state
    }
}
