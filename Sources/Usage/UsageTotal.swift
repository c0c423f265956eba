public import Contract
public import Metering
public import Postgres

/// What one subject used of one metric in a period, with its limit and its account's pool.
public struct UsageTotal: Sendable {
    public let account: String
    /// nil: the account's pool.
    public let tenant: String?
    public let metric: Metric
    public let value: Int64
    /// As it is now, also for a period that is over; nil: unlimited.
    public let limit: Int64?
    /// What the account's pool has of this metric.
    public let pool: Int64
    public let period: BillingPeriod

    /// The counters' own values, pools before their tenants. Metrics that have a present value and no history are there for the present
    /// period alone.
    ///
    /// - Parameters:
    ///   - account: this one alone.
    ///   - tenant: this one alone, without its pool.
    ///   - month: each account's period that starts in it, `YYYY-MM`; nil: the present one.
    public static func read(
        account: String? = nil, tenant: String? = nil, metric: Metric? = nil, month: String? = nil,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [UsageTotal] {
        try database.query(ReportSQL.totals, account, tenant, month, metric?.rawValue).decode(UsageTotal.init).compactMap { $0 }
    }

    /// A row of `ReportSQL.totals`; nil where this build does not know the metric.
    private init?(
        account: String, tenant: String?, metric: String, value: Int64, limit: Int64?, pool: Int64, start: Timestamp,
        end: Timestamp
    ) {
        guard let metric = Metric(rawValue: metric) else { return nil }
        self.account = account
        self.tenant = tenant
        self.metric = metric
        self.value = value
        self.limit = limit
        self.pool = pool
        period = BillingPeriod(start: start, end: end)
    }
}
