public import Contract
public import Metering
public import Postgres

/// What people want to know of an account's usage, or of a tenant's: how much, how much of what is allowed, where it leads, and how it came to be.
///
/// It answers `/v1/usage` and `/v1/tenants/{slug}/usage`.
public struct UsageView: Sendable {
    /// One metric of the subject.
    public struct MetricValue: Sendable {
        public let metric: Metric
        public let value: Int64
        /// nil: unlimited.
        public let limit: Int64?
        /// nil: there is no limit.
        public let mode: AlertEvent.Mode?
        /// The tenant's part of the pool, from 0 to 1; nil for the pool itself, and for whom it is none of their business.
        public let share: Double?
        public let projection: Int64
        public let reachedAt: Timestamp?
    }

    /// What happened in one bucket.
    public struct HistoryEntry: Sendable, Equatable {
        public let start: Timestamp
        public let metric: Metric
        public let value: Int64
    }

    /// One of the tenants that used most of a metric.
    public struct TenantValue: Sendable, Equatable {
        public let tenant: String
        public let metric: Metric
        public let value: Int64
        public let share: Double
    }

    /// Tenants of one metric that are shown, the largest.
    public static let mostTenants: Int64 = 100
    /// What a transaction must be for all numbers to be of one moment.
    public static let transactionMode = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

    public let account: String
    /// nil: the account's pool.
    public let tenant: String?
    /// The month in which the period begins, on the account's clock: `2026-11`.
    public let month: String
    public let period: BillingPeriod
    public let timezone: String
    public let metrics: [MetricValue]
    /// By metric, and then by time: each bucket of the period that has begun, those without anything with a 0. Metrics that have a present value
    /// and no history are not in it. By month: the last twelve periods.
    public let history: [HistoryEntry]
    /// Of the pool, by metric, the largest first, at most ``mostTenants`` each, none with 0.
    public let tenants: [TenantValue]

    /// - Parameters:
    ///   - tenant: one of the account's; nil: its pool.
    ///   - month: the period that begins in it, `YYYY-MM`; nil: the present one.
    ///   - metrics: these alone, each once; nil or empty: all. Those that only accounts have are left out of a tenant's.
    ///   - withShares: whether whoever asks may see the pool: a tenant's own people may not.
    /// - Returns: nil if there is no such account, or no such tenant of it. A tenant that was purged is there where it used something.
    public static func read(
        account: String, tenant: String? = nil, month: String? = nil, by bucket: UsageReport.Bucket = .day,
        metrics: [Metric]? = nil, withShares: Bool, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> UsageView? {
        let asked = Set(metrics ?? [])
        let wanted = Metric.allCases.filter { (asked.isEmpty || asked.contains($0)) && (tenant == nil || $0.isForTenants) }
        let question = UsageReport.Question(
            account: account, tenants: tenant.map { [$0] } ?? [], hasPool: tenant == nil, metrics: wanted, month: month,
            by: bucket)
        guard let report = try UsageReport(question, on: &database) else { return nil }
        let totals = try UsageTotal.read(of: report, tenant: tenant, on: &database)
        guard !totals.isEmpty else { return nil }
        var largest: [TenantValue] = []
        if tenant == nil, withShares {
            let pools = Dictionary(totals.map { ($0.metric, $0.value) }, uniquingKeysWith: { first, _ in first })
            let rows = try database.query(TotalSQL.largest, account, report.period.start, mostTenants, wanted.map(\.rawValue))
            for (tenant, name, value) in rows.decode((String, String, Int64).self) {
                guard let metric = Metric(rawValue: name), let pool = pools[metric] else { continue }
                largest.append(
                    TenantValue(tenant: tenant, metric: metric, value: value, share: UsageTotal.share(value, of: pool)))
            }
        }
        return UsageView(report, totals.filter { wanted.contains($0.metric) }, tenant: tenant, largest, withShares: withShares)
    }

    private init(
        _ report: UsageReport, _ totals: [UsageTotal], tenant: String?, _ largest: [TenantValue], withShares: Bool
    ) {
        account = report.account
        self.tenant = tenant
        month = report.month
        period = report.period
        timezone = report.timezone
        metrics = totals.map { total in
            let outlook = total.outlook(at: report.now)
            return MetricValue(
                metric: total.metric, value: total.value, limit: total.limit, mode: total.mode,
                share: withShares ? total.share : nil, projection: outlook.projection, reachedAt: outlook.reachedAt)
        }
        let starts = report.starts.prefix(report.begun)
        history = report.series.flatMap { series in
            zip(starts, series.values).map { HistoryEntry(start: $0, metric: series.metric, value: $1) }
        }
        tenants = largest
    }
}
