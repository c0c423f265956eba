public import Postgres

/// Measures everything open of an account anew, after its limits changed: alerts where more is crossed now, `resolved` where less is.
public enum Reevaluation {
    /// In the caller's transaction.
    ///
    /// - Parameter holdsCounters: whether nothing may be booked meanwhile: after limits were changed, so that what crosses the new ones is
    ///   told at once. Without, a value that moves meanwhile is measured at its next booking.
    public static func run(account: String, holdsCounters: Bool = true, on database: inout Connection) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(account)
        _ = try database.query(SQL.lockAccount, parameters)
        parameters.append(holdsCounters)
        var subjects: [Subject: UsageCounts] = [:]
        let tenants = try database.query(SQL.tenants, parameters)
        for row in 0..<tenants.count {
            subjects[Subject(account: account, tenant: tenants.text(row, 0), periodStart: tenants.timestamp(row, 1))] =
                UsageCounts()
        }
        let pools = try database.query(SQL.pools, parameters)
        for row in 0..<pools.count {
            subjects[Subject(account: account, tenant: nil, periodStart: pools.timestamp(row, 0))] = UsageCounts()
        }
        try Evaluation.run(subjects, on: &database)
    }

    enum SQL {
        static let lockAccount: Statement = "select slug from tenantry.accounts where slug = $1 for no key update"
        // In the order in which lanes book: byte by byte, whatever the database's collation.
        static let tenants: Statement = """
            with held as (
                select tenant, period_start from tenantry.tenant_usage
                where $2 and account = $1 and period_end > now() order by tenant collate "C", period_start for update
            )
            select tenant, period_start from held
            union
            select tenant, period_start from tenantry.tenant_usage where not $2 and account = $1 and period_end > now()
            """
        static let pools: Statement = """
            with held as (
                select period_start from tenantry.account_usage
                where $2 and account = $1 and period_end > now() order by period_start for update
            )
            select period_start from held
            union
            select period_start from tenantry.account_usage where not $2 and account = $1 and period_end > now()
            """
    }
}
