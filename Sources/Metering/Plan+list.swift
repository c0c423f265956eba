internal import Contract
public import Postgres

extension Plan {
    /// The plans of the database, ordered by name.
    ///
    /// - Throws: `Price.Unreadable` where somebody wrote a price that is none; `PostgresError`.
    public static func list(on database: inout some Queryable & ~Copyable) throws -> [Plan] {
        try database.query(SQL.list).decode {
            (
                name: String, displayName: String, thresholds: [Int64], price: JSONText?, jobsPerMinute: Int64?,
                tenantPlans: [String], metrics: [String], values: [Int64?], modes: [String]
            ) in
            var limits: [Metric: Limit] = [:]
            for (metric, (value, mode)) in zip(metrics, zip(values, modes)) {
                guard let metric = Metric(rawValue: metric), let mode = AlertEvent.Mode(rawValue: mode) else { continue }
                limits[metric] = Limit(value: value, mode: mode)
            }
            return Plan(
                name: name, displayName: displayName, thresholds: thresholds.map { Int($0) }, limits: limits,
                jobsPerMinute: jobsPerMinute, tenantPlans: tenantPlans, price: try Price.stored(price?.text))
        }
    }
}

extension Plan.SQL {
    static let list: Statement = """
        select p.name, p.display_name, p.thresholds, p.price, p.jobs_per_minute, p.tenant_plans, l.metrics, l.values, l.modes
        from tenantry.plans p
        cross join lateral (
            select coalesce(array_agg(metric), '{}') as metrics, coalesce(array_agg(limit_value), '{}') as values,
                   coalesce(array_agg(mode), '{}') as modes
            from tenantry.plan_limits where plan = p.name
        ) l
        order by p.name
        """
}
