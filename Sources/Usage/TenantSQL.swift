internal import Postgres

/// A statement on a tenant's schema: its text is made once, and cut where the schema's name goes.
struct TenantSQL {
    private let parts: [Substring]

    /// - Parameter sql: `{schema}` stands for the quoted schema name.
    init(_ sql: String) {
        parts = sql.split(separator: "{schema}", omittingEmptySubsequences: false)
    }

    func callAsFunction(_ schema: Identifier) -> Statement {
        Statement(parts.joined(separator: schema.quoted))
    }
}
