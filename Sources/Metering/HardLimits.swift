public import Contract
public import Postgres

/// Limits that refuse: checked where the effect is about to be committed, against what is committed.
public enum HardLimits {
    /// Takes the account's turn, held until the commit: of two effects that would both still fit, the second sees the first.
    ///
    /// Callers with several accounts take them in ascending order.
    public static func takeTurn(account: String, on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.limits:\(account)")
    }

    /// Refuses an effect that would lift a hard-limited metric of the tenant or of its account's pool above its limit.
    ///
    /// - Parameters:
    ///   - counts: what the effect adds, not booked yet.
    ///   - period: the flow metrics' period; gauges are looked up by themselves, and come with ``BillingPeriod/always``.
    /// - Throws: `Rejection` (`limit_reached`) that names limit, value and metric; `PostgresError`.
    public static func check(
        account: String, tenant: String, period: BillingPeriod, counts: UsageCounts, on database: inout Transaction
    ) throws {
        let limits = try database.query(SQL.limits, account, tenant, period.start).decode((String, String, Int64, Int64).self)
        for (subject, name, limit, value) in limits {
            guard let metric = Metric(rawValue: name) else { continue }
            let added = counts[metric]
            guard added > 0, value + added > limit else { continue }
            throw refusal(of: metric, subject: subject, limit: limit, value: value, added: added, resetsAt: period.end)
        }
    }

    /// The rejection of an effect over a hard limit.
    ///
    /// - Parameter resetsAt: the end of the metric's period; a gauge has none.
    public static func refusal(
        of metric: Metric, subject: String, limit: Int64, value: Int64, added: Int64, resetsAt: Timestamp? = nil
    ) -> Rejection {
        let end = metric.isGauge ? nil : resetsAt.map { Instant(microsecondsSince1970: $0.microsecondsSince1970) }
        return Rejection(
            ReachedLimit(metric: metric, limit: limit, value: value, resetsAt: end),
            "\(subject) has reached its limit of \(metric.rawValue): limit \(limit), value \(value), asked for \(added) more")
    }

    enum SQL {
        /// Every hard limit of the tenant and its account that an effect on the tenant can reach: whose, of which metric, limit and value.
        static let limits = Statement(
            """
            select case when s.tenant is null then 'account ' || $1 else 'tenant ' || $2 end, l.metric, l.limit_value,
                   coalesce(\(Metric.ofTenants.value(of: "l.metric", in: "u")), 0)::int8
            from (values (null::text), ($2::text)) as s (tenant)
            cross join lateral tenantry.limits_of($1, s.tenant) l
            join tenantry.metrics m on m.name = l.metric and m.is_for_tenants
            left join lateral (
                select \(Metric.ofTenants.columns { "sum(\($0)) as \($0)" })
                from (
                    select \(Metric.ofTenants.columns) from tenantry.tenant_usage t
                    where t.tenant = s.tenant and t.period_start = case when m.is_gauge then '-infinity' else $3::timestamptz end
                    union all
                    select \(Metric.ofTenants.columns) from tenantry.account_usage a
                    where s.tenant is null and a.account = $1 and a.period_start = case when m.is_gauge then '-infinity' else $3::timestamptz end
                    union all
                    select \(Metric.ofTenants.columns) from tenantry.usage_deltas d
                    where s.tenant is null and d.account = $1 and d.period_start = case when m.is_gauge then '-infinity' else $3::timestamptz end
                ) parts
            ) u on true
            where l.mode = 'hard' and l.limit_value is not null
            """)
    }
}
