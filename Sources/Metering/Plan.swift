public import Contract
public import Postgres

/// What an account buys: limits and the thresholds at which it is told.
public struct Plan: Sendable, Equatable {
    public struct Limit: Sendable, Equatable {
        /// nil: unlimited.
        public var value: Int64?
        public var mode: AlertEvent.Mode

        public init(value: Int64?, mode: AlertEvent.Mode) {
            self.value = value
            self.mode = mode
        }
    }

    public var name: String
    public var displayName: String
    /// Percent of a limit, ascending.
    public var thresholds: [Int]
    public var limits: [Metric: Limit]
    /// The most jobs a minute of an account on this plan, or of a tenant with it as its own; above 0. nil: as many as they like.
    public var jobsPerMinute: Int64?
    /// The plans that an account on this plan may give to its tenants.
    public var tenantPlans: [String]
    /// nil: it costs nothing that an invoice could say.
    public var price: Price?

    public init(
        name: String, displayName: String, thresholds: [Int], limits: [Metric: Limit], jobsPerMinute: Int64? = nil,
        tenantPlans: [String] = [], price: Price? = nil
    ) {
        self.name = name
        self.displayName = displayName
        self.thresholds = thresholds
        self.limits = limits
        self.jobsPerMinute = jobsPerMinute
        self.tenantPlans = tenantPlans
        self.price = price
    }

    /// Makes these the plans of the database: adds and changes, and measures the accounts on them anew. A plan that is no longer named
    /// stays as long as somebody is on it, or has been: a period of that time may be billed yet.
    ///
    /// - Returns: the plans that were removed.
    public static func apply(_ plans: [Plan], on database: inout Connection) throws -> [String] {
        let names = plans.map(\.name)
        let removed = try database.transaction { (database: inout Transaction) throws -> [String] in
            for plan in plans { try plan.save(on: &database) }
            return try database.query(SQL.removeOthers, names).decode(String.self)
        }
        for account in try database.query(SQL.accounts, names).decode(String.self) {
            try database.transaction { (database: inout Transaction) throws -> Void in
                try Reevaluation.hold(account: account, on: &database)
                try Reevaluation.run(account: account, on: &database)
            }
        }
        return removed
    }

    private func save(on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(
            SQL.save, name, displayName, thresholds.map { Int64($0) }, price.map { JSONText($0.json.serialised()) },
            jobsPerMinute, tenantPlans)
        let limits = Metric.allCases.compactMap { metric in self.limits[metric].map { (metric: metric.rawValue, limit: $0) } }
        _ = try database.query(SQL.removeLimits, name, limits.map(\.metric))
        _ = try database.query(
            SQL.saveLimits, name, limits.map(\.metric), limits.map(\.limit.value), limits.map(\.limit.mode.rawValue))
    }

    enum SQL {
        static let save: Statement = """
            insert into tenantry.plans (name, display_name, thresholds, price, jobs_per_minute, tenant_plans)
            values ($1, $2, $3::int8[]::int[], $4, $5, $6)
            on conflict (name) do update set display_name = excluded.display_name, thresholds = excluded.thresholds,
                price = excluded.price, jobs_per_minute = excluded.jobs_per_minute, tenant_plans = excluded.tenant_plans, updated_at = now()
            """
        static let removeLimits: Statement = "delete from tenantry.plan_limits where plan = $1 and metric <> all($2::text[])"
        static let saveLimits: Statement = """
            insert into tenantry.plan_limits (plan, metric, limit_value, mode)
            select $1, metric, limit_value, mode from unnest($2::text[], $3::int8[], $4::text[]) as l (metric, limit_value, mode)
            on conflict (plan, metric) do update set limit_value = excluded.limit_value, mode = excluded.mode
            """
        static let removeOthers: Statement = """
            delete from tenantry.plans p where p.name <> all($1::text[])
              and not exists (select from tenantry.accounts where plan = p.name) and not exists (select from tenantry.tenants where plan = p.name)
              and not exists (select from tenantry.billing_terms where plan = p.name)
            returning p.name
            """
        static let accounts: Statement = """
            select a.slug from tenantry.accounts a where a.plan = any($1)
            union select t.account from tenantry.tenants t where t.plan = any($1) order by 1
            """
    }
}
