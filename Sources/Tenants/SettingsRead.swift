public import Contract
internal import Jobs
public import Postgres

/// A tenant's settings as one object.
public enum SettingsRead {
    /// The settings in a tenant's schema, by their names.
    public static func find(
        in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> JSONValue {
        try database.query(TenantDetails.SQL.settings(schema)).only(JSONValue.self)
    }

    /// The settings' entity tag as they are now.
    public static func currentETag(
        in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> String {
        EntityTag.of(try find(in: schema, on: &database))
    }
}
