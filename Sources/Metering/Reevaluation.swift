public import Postgres

/// Measures everything open of an account anew, after its limits changed: alerts where more is crossed now, `resolved` where less is.
public enum Reevaluation {
    /// Holds the open counters until the commit, so that what crosses the new limits is told at once. To be called before the account's or
    /// the tenant's row is changed: bookings take their counters first and the account's row after them, and so does this.
    ///
    /// - Parameter tenant: this one alone; nil: all of them and the pool.
    public static func hold(account: String, tenant: String? = nil, on database: inout Connection) throws(PostgresError) {
        let subject = parameters(account, tenant)
        _ = try database.query(SQL.holdTenants, subject)
        if tenant == nil { _ = try database.query(SQL.holdPools, subject) }
    }

    /// Measures in the caller's transaction. A value that is not held and moves meanwhile is measured at its next booking.
    ///
    /// - Parameter tenant: this one alone; nil: all of them and the pool.
    public static func run(account: String, tenant: String? = nil, on database: inout Connection) throws(PostgresError) {
        var locked = Parameters()
        locked.append(account)
        _ = try database.query(SQL.lockAccount, locked)
        var subjects: [Subject: UsageCounts] = [:]
        let rows = try database.query(SQL.open, parameters(account, tenant))
        for row in 0..<rows.count {
            let subject = Subject(account: account, tenant: rows.optionalText(row, 0), periodStart: rows.timestamp(row, 1))
            subjects[subject] = UsageCounts()
        }
        try Evaluation.run(subjects, on: &database)
    }

    private static func parameters(_ account: String, _ tenant: String?) -> Parameters {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(tenant)
        return parameters
    }

    enum SQL {
        // In the order in which lanes book: byte by byte, whatever the database's collation.
        static let holdTenants: Statement = """
            select 1 from tenantry.tenant_usage
            where account = $1 and ($2::text is null or tenant = $2) and period_end > now()
            order by tenant collate "C", period_start for update
            """
        static let holdPools: Statement = """
            select 1 from tenantry.account_usage where account = $1 and $2::text is null and period_end > now()
            order by period_start for update
            """
        static let lockAccount: Statement = "select slug from tenantry.accounts where slug = $1 for no key update"
        static let open: Statement = """
            select tenant, period_start from tenantry.tenant_usage
            where account = $1 and ($2::text is null or tenant = $2) and period_end > now()
            union all
            select null, period_start from tenantry.account_usage where account = $1 and $2::text is null and period_end > now()
            """
    }
}
