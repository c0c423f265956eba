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
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(tenant)
        parameters.append(month)
        parameters.append(metric?.rawValue)
        let rows = try database.query(ReportSQL.totals, parameters)
        return (0..<rows.count).compactMap { row in
            guard let metric = Metric(rawValue: rows.text(row, 2)) else { return nil }
            return UsageTotal(
                account: rows.text(row, 0), tenant: rows.optionalText(row, 1), metric: metric, value: rows.int(row, 3),
                limit: rows.optionalInt(row, 4), pool: rows.int(row, 5),
                period: BillingPeriod(start: rows.timestamp(row, 6), end: rows.timestamp(row, 7)))
        }
    }
}
