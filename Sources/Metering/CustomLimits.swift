public import Contract
public import Postgres

/// The limits of an account's or a tenant's own, laid over its plan's.
public enum CustomLimits {
    /// Sets the metrics that are named and leaves the others.
    ///
    /// - Parameter tenant: nil for the account's pool.
    public static func merge(_ limits: Limits, account: String, tenant: String?, on database: inout Transaction)
        throws(PostgresError)
    {
        let ordered = limits.ordered
        _ = try database.query(
            SQL.merge, account, tenant ?? "", ordered.map(\.metric.rawValue), ordered.map(\.limit.value))
    }

    /// Back to what the plan says.
    public static func clear(account: String, tenant: String?, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.clear, account, tenant ?? "")
    }

    enum SQL {
        static let merge: Statement = """
            insert into tenantry.custom_limits (account, tenant, metric, limit_value)
            select $1, $2, metric, limit_value from unnest($3::text[], $4::int8[]) as l (metric, limit_value)
            on conflict (account, tenant, metric) do update set limit_value = excluded.limit_value
            """
        static let clear: Statement = "delete from tenantry.custom_limits where account = $1 and tenant = $2"
    }
}
