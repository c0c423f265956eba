public import Postgres

/// Measures what is open of an account anew: alerts where more is crossed now, `resolved` where less is.
public enum Reevaluation {
    /// Holds the open counters until the commit, so that what crosses the new limits is told at once. To be called before the account's or
    /// the tenant's row is changed: bookings take their counters first and the account's row after them, and so does this.
    ///
    /// - Parameter tenant: this one alone; nil: all of them and the pool.
    public static func hold(account: String, tenant: String? = nil, on database: inout Transaction) throws(PostgresError) {
        try hold(Scope(account: account, tenants: tenant.map { [$0] }, hasPool: tenant == nil), on: &database)
    }

    /// As the other one, for some tenants; an empty list is the pool alone.
    public static func hold(account: String, tenants: [String], on database: inout Transaction) throws(PostgresError) {
        try hold(Scope(account: account, tenants: tenants, hasPool: tenants.isEmpty), on: &database)
    }

    /// Measures in the caller's transaction. A value that is not held and moves meanwhile is measured at its next booking.
    ///
    /// - Parameter tenant: this one alone; nil: all of them and the pool.
    public static func run(account: String, tenant: String? = nil, on database: inout Transaction) throws(PostgresError) {
        try run(Scope(account: account, tenants: tenant.map { [$0] }, hasPool: tenant == nil), on: &database)
    }

    /// As the other one, for some tenants; an empty list is the pool alone.
    public static func run(account: String, tenants: [String], on database: inout Transaction) throws(PostgresError) {
        try run(Scope(account: account, tenants: tenants, hasPool: tenants.isEmpty), on: &database)
    }

    /// Who is measured: `tenants` nil are all of them.
    private struct Scope {
        let account: String
        let tenants: [String]?
        let hasPool: Bool
    }

    private static func hold(_ scope: Scope, on database: inout Transaction) throws(PostgresError) {
        if let tenants = scope.tenants {
            _ = try database.query(SQL.holdTenants, scope.account, tenants)
        } else {
            _ = try database.query(SQL.holdAll, scope.account)
        }
        if scope.hasPool { _ = try database.query(SQL.holdPools, scope.account) }
    }

    private static func run(_ scope: Scope, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.lockAccount, scope.account)
        var open: [(tenant: String?, periodStart: Timestamp)]
        if let tenants = scope.tenants {
            open = try database.query(SQL.openTenants, scope.account, tenants).decode((String?, Timestamp).self)
        } else {
            open = try database.query(SQL.openAll, scope.account).decode((String?, Timestamp).self)
        }
        if scope.hasPool { open += try database.query(SQL.openPools, scope.account).decode((String?, Timestamp).self) }
        let counters = open.map { CounterKey(account: scope.account, tenant: $0.tenant, periodStart: $0.periodStart) }
        try Evaluation.run(Dictionary(uniqueKeysWithValues: counters.map { ($0, UsageCounts()) }), on: &database)
    }

    enum SQL {
        // In the order in which lanes book: byte by byte, whatever the database's collation.
        static let holdAll: Statement = """
            select 1 from tenantry.tenant_usage where account = $1 and period_end > now()
            order by tenant collate "C", period_start for update
            """
        static let holdTenants: Statement = """
            select 1 from tenantry.tenant_usage where account = $1 and tenant = any($2) and period_end > now()
            order by tenant collate "C", period_start for update
            """
        static let holdPools: Statement = """
            select 1 from tenantry.account_usage where account = $1 and period_end > now() order by period_start for update
            """
        static let lockAccount: Statement = "select slug from tenantry.accounts where slug = $1 for no key update"
        static let openAll: Statement = """
            select tenant, period_start from tenantry.tenant_usage where account = $1 and period_end > now()
            """
        static let openTenants: Statement = """
            select tenant, period_start from tenantry.tenant_usage where account = $1 and tenant = any($2) and period_end > now()
            """
        static let openPools: Statement = """
            select null::text, period_start from tenantry.account_usage where account = $1 and period_end > now()
            """
    }
}
