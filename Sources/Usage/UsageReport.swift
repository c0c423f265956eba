public import Contract
public import Metering
public import Postgres

/// How the usage of an account and its tenants is spread over time, in the account's own zone, up to this moment.
///
/// Hours and days are read from the roll-ups as far as these go, and counted from the raw rows since then: what is said is there at once. Messages,
/// tokens and conversations of days are sums of their hours. Users are not: one who speaks on three days is one user of the month. Their
/// numbers are exact, too:
///
/// - by hour: distinct users of each hour;
/// - by day: distinct users of each day;
/// - by month: as all else there, the counters of the billing periods, as they are billed.
///
/// What `conversation.erase` took away stays in hours and months. It does not stay in the users of a day: who they were is not known
/// any more, and so neither whether one was there in two hours of the same day.
///
/// A pool is the sum over its tenants, also those that were purged. Its hours are rolled up for the account as a whole; of tenants that moved
/// since, up to ``mostMovedTenants`` are counted from their raw rows. Where there are more, what is not rolled up yet is shown in the
/// present bucket: the sum is exact, and for as long as it takes until the next aggregation a message that came late may stand in a later bucket,
/// and new users of the present bucket may be missing.
public struct UsageReport: Sendable {
    public enum Bucket: String, Sendable, CaseIterable {
        case hour, day
        /// A billing period, named after the month that it begins in.
        case month
    }

    /// One metric of one subject.
    public struct Series: Sendable, Equatable {
        /// nil: the account's pool.
        public let tenant: String?
        public let metric: Metric
        /// One for each of the report's ``UsageReport/starts``.
        public let values: [Int64]
    }

    /// What can be spread over time.
    public static let metrics = Metric.flows
    /// How many months a report by month goes back, the named one included.
    static let monthCount: Int64 = 12
    /// Tenants whose tables are opened in one transaction: each holds a dozen locks.
    static let chunk = 100
    /// Tenants of a pool that are counted from their raw rows.
    static let mostMovedTenants = 25

    public let account: String
    public let timezone: String
    public let bucket: Bucket
    /// The last aggregation of the whole account; `.distantPast` if there was none.
    public let aggregatedAt: Timestamp
    /// When it was read, by the database's clock.
    public let now: Timestamp
    /// The period that was asked for; by month, the last one.
    public let period: BillingPeriod
    /// The month in which it begins, on the account's clock: `2026-11`.
    public let month: String
    /// The end of the last bucket.
    public let end: Timestamp
    /// Where each bucket begins, ascending.
    public let starts: [Timestamp]
    /// The same on the account's clock: `2026-11`, `2026-11-30`, `2026-11-30 13:00`.
    public let labels: [String]
    /// The pool's, if it was asked for, and each tenant's, in the order of their slugs and of the metrics.
    public let series: [Series]

    public struct Question: Sendable {
        public var account: String
        /// nil: all.
        public var tenants: [String]?
        public var hasPool: Bool
        public var metrics: [Metric]
        /// The period that starts in this month, `YYYY-MM`; nil: the present one.
        public var month: String?
        public var bucket: Bucket

        public init(
            account: String, tenants: [String]? = nil, hasPool: Bool = true, metrics: [Metric] = UsageReport.metrics,
            month: String? = nil, by bucket: Bucket
        ) {
            self.account = account
            self.tenants = tenants
            self.hasPool = hasPool
            self.metrics = metrics.filter { !$0.isGauge }
            self.month = month
            self.bucket = bucket
        }
    }

    /// As of one moment in a transaction that is `REPEATABLE READ`.
    ///
    /// - Throws: `PostgresError`
    /// - Returns: nil if there is no such account.
    public init?(_ question: Question, on database: inout some Queryable & ~Copyable) throws(PostgresError) {
        let found = try database.query(ReportSQL.period, question.account, question.month).decode(ReportPeriod.init)
        guard let period = found.first else { return nil }
        let (statement, zone) = (ReportSQL.buckets(question.bucket), period.timezone)
        let rows =
            question.bucket == .month
            ? try database.query(statement, period.start, period.end, zone, period.anchorDay, Self.monthCount)
            : try database.query(statement, period.start, period.end, zone)
        let buckets = rows.decode((Timestamp, String).self)
        account = question.account
        bucket = question.bucket
        timezone = zone
        aggregatedAt = period.aggregatedAt
        now = period.now
        self.period = BillingPeriod(start: period.start, end: period.end)
        month = period.month
        end = period.end
        starts = buckets.map(\.0)
        labels = buckets.map(\.1)
        let reading = SeriesReading(question, period, starts: starts)
        series = try question.bucket == .month ? reading.months(on: &database) : reading.spans(on: &database)
    }

    /// How many of the buckets have begun.
    public var begun: Int { starts.count { $0 <= now } }
}
