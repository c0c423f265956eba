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
    /// - Parameter field: what of the payload is to blame.
    /// - Throws: `Rejection` (`limit_reached`); `PostgresError`.
    public static func check(_ schema: Identifier, field: String, on database: inout Transaction) throws {
        let bytes = try database.query(SQL.bytes(schema)).first(Int64.self) ?? 0
        guard bytes <= Bounds.settingsBytes else {
            throw Rejection(
                .limitReached, "the tenant's settings would have \(bytes) bytes; settings have at most \(Bounds.settingsBytes)",
                field: field)
        }
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
