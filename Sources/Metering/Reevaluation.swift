public import Postgres

/// Measures everything open of an account anew, after its limits changed: alerts where more is crossed now, `resolved` where less is.
public enum Reevaluation {
    /// In the caller's transaction, after it changed the limits.
    public static func run(account: String, on database: inout Connection) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(account)
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
        static let tenants: Statement = """
            select tenant, period_start from tenantry.tenant_usage
            where account = $1 and period_end > now() order by tenant, period_start for update
            """
        static let pools: Statement = """
            select period_start from tenantry.account_usage where account = $1 and period_end > now() order by period_start for update
            """
    }
}
