public import Contract
public import Jobs
public import Postgres

/// A plan as it is shown: what it allows, when it warns, and what it costs.
public struct PlanSummary: Sendable {
    public let name: String
    public let displayName: String
    /// By metric `{limit, mode}`; a limit that is null, or a metric that is not there, is unlimited.
    public let limits: JSONValue
    /// Percent of a limit, ascending.
    public let thresholds: [Int64]
    public let jobsPerMinute: Int64?
    /// The plans that an account on it may give to its tenants.
    public let tenantPlans: [String]
    /// In the shape of `price` in `plans.yaml`, amounts in the currency's smallest unit; null: it costs nothing.
    public let price: JSONValue

    public static let representation = Representation<PlanSummary> {
        Member.text("name", \.name)
        Member.text("display_name", \.displayName)
        Member.object("limits", \.limits)
        Member("thresholds", schema: ["type": "array", "items": ["type": "integer"]]) { .array($0.thresholds.map { .int($0) }) }
        Member.number("jobs_per_minute", \.jobsPerMinute)
        Member.texts("tenant_plans", \.tenantPlans)
        Member.object("price", \.price)
    }

    private typealias Member = Representation<PlanSummary>.Member

    public var position: [String] { [name] }

    /// A page of the plans, ordered by name.
    ///
    /// - Parameters:
    ///   - account: only this account's, and those that it may give to its tenants; nil: all.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [PlanSummary] {
        try database.query(SQL.page, account, PageStart(after: position).text(0), limit).decode(PlanSummary.init)
    }

    enum SQL {
        static let page: Statement = """
            select p.name, p.display_name,
                   coalesce((select jsonb_object_agg(l.metric, jsonb_build_object('limit', l.limit_value, 'mode', l.mode))
                             from tenantry.plan_limits l where l.plan = p.name), '{}'),
                   p.thresholds, p.jobs_per_minute, p.tenant_plans, p.price
            from tenantry.plans p
            where p.name > $2
              and ($1::text is null or p.name in (
                  select unnest(own.name || own.tenant_plans) from tenantry.accounts a join tenantry.plans own on own.name = a.plan
                  where a.slug = $1))
            order by p.name limit $3
            """
    }
}
