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
    /// What happens at the limit; nil: there is none.
    public let mode: AlertEvent.Mode?
    /// When the limit was reached, by its alert; nil: it is not, or nobody noted when.
    public let breachedAt: Timestamp?
    /// What the account's pool has of this metric.
    public let pool: Int64
    public let timezone: String
    public let period: BillingPeriod

    /// The counters' own values, pools before their tenants. Metrics that have a present value and no history are there for the present
    /// period alone.
    ///
    /// - Parameters:
    ///   - account: this one alone.
    ///   - tenant: this one alone, without its pool.
    ///   - month: each account's period that starts in it, `YYYY-MM`; nil: the present one.
    public static func read(
        account: String? = nil, tenant: String? = nil, month: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [UsageTotal] {
        try database.query(TotalSQL.totals, account, tenant, month).decode(UsageTotal.init).compactMap { $0 }
    }

    /// One subject's, in the period of a report that was read before; none if there is no such tenant of that account.
    static func read(of report: UsageReport, tenant: String?, on database: inout some Queryable & ~Copyable)
        throws(PostgresError) -> [UsageTotal]
    {
        let period = report.period
        let isPresent = period.start <= report.now && report.now < period.end
        let rows = try database.query(TotalSQL.subject, report.account, tenant, period.start, isPresent)
        return rows.decode { (metric: String, value: Int64, limit: Int64?, mode: String, breachedAt: Timestamp?, pool: Int64) in
            UsageTotal(
                account: report.account, tenant: tenant, metric: metric, value: value, limit: limit, mode: mode,
                breachedAt: breachedAt, pool: pool, timezone: report.timezone, start: period.start, end: period.end)
        }.compactMap { $0 }
    }

    /// A row of `TotalSQL.totals`; nil where this build does not know the metric.
    private init?(
        account: String, tenant: String?, metric: String, value: Int64, limit: Int64?, mode: String, breachedAt: Timestamp?,
        pool: Int64, timezone: String, start: Timestamp, end: Timestamp
    ) {
        guard let metric = Metric(rawValue: metric) else { return nil }
        self.account = account
        self.tenant = tenant
        self.metric = metric
        self.value = value
        self.limit = limit
        self.mode = limit == nil ? nil : AlertEvent.Mode(rawValue: mode)
        self.breachedAt = breachedAt
        self.pool = pool
        self.timezone = timezone
        period = BillingPeriod(start: start, end: end)
    }
}

extension UsageTotal {
    /// The tenant's part of the pool, from 0 to 1; nil for the pool itself.
    public var share: Double? { tenant == nil ? nil : Self.share(value, of: pool) }

    /// To a millionth. Nobody has a part of nothing.
    static func share(_ value: Int64, of pool: Int64) -> Double {
        pool > 0 ? (Double(value) / Double(pool) * 1_000_000).rounded() / 1_000_000 : 0
    }

    /// Where this leads; see ``UsageOutlook``.
    public func outlook(at now: Timestamp) -> UsageOutlook {
        UsageOutlook(
            value: value, limit: limit, breachedAt: breachedAt, period: period, isGauge: metric.isGauge, now: now)
    }
}
