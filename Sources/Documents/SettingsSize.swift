internal import Contract
public import Postgres

/// How much a tenant's settings come to, who writes them merging or copying one after the other.
public enum SettingsSize {
    /// Waits for the turn to change a tenant's settings; held until the commit.
    ///
    /// It comes after the turn to change documents and before the account's.
    public static func takeTurn(_ schema: Identifier, on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.settings:\(schema.name)")
    }

    /// Refuses settings that have grown beyond their bound; to be called when they are written.
    ///
    /// - Parameters:
    ///   - before: what they came to without what was written: ``bytes(_:on:)``.
    ///   - field: what of the payload is to blame.
    /// - Throws: `Rejection` (`limit_reached`); `PostgresError`.
    public static func check(
        _ schema: Identifier, before: Int64, field: String, on database: inout Transaction
    ) throws {
        let bytes = try bytes(schema, on: &database)
        guard bytes <= Bounds.settingsBytes else {
            throw Rejection(
                .bound(Bounds.settingsBytes, value: before),
                "the tenant's settings would have \(bytes) bytes; settings have at most \(Bounds.settingsBytes)",
                field: field)
        }
    }

    /// What a tenant's settings come to, names and values.
    public static func bytes(_ schema: Identifier, on database: inout Transaction) throws(PostgresError) -> Int64 {
        try database.query(SQL.bytes(schema)).first(Int64.self) ?? 0
    }

    enum SQL {
        static func bytes(_ schema: Identifier) -> Statement {
            Statement(
                """
                select coalesce(sum(octet_length(key) + octet_length(value::text)), 0)::int8 from \(schema.quoted).settings
                """)
        }
    }
}
