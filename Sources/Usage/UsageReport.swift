public import Contract
internal import Metering
public import Postgres

/// How the usage of an account and its tenants is spread over time, in the account's own zone.
///
/// Read from the hourly roll-ups, and so as of ``aggregatedAt``. Messages, tokens and conversations of days and months are sums of their
/// hours. Users are not: one who speaks on three days is one user of the month. Their numbers are exact, too:
///
/// - by hour: from the roll-ups, distinct users of each hour;
/// - by day: distinct users counted from the raw messages;
/// - by month: the rows of `active_users`, one for each user and billing period, as they are billed.
///
/// What `conversation.erase` took away stays in hours and months. It does not stay in the users of a day: who they were is not known
/// any more, and so neither whether one was there in two hours of the same day. A pool is the sum over its tenants; one that was purged has left
/// its totals (``UsageTotal``) and no series.
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
    /// Tenants whose tables are opened in one transaction: each holds a lock.
    private static let chunk = 500

    public let account: String
    public let timezone: String
    public let bucket: Bucket
    /// The last aggregation of the whole account; `.distantPast` if there was none.
    public let aggregatedAt: Timestamp
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
        /// nil: all; they are needed anyway where the pool is.
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

    /// - Throws: `PostgresError`
    /// - Returns: nil if there is no such account.
    public init?(_ question: Question, on database: inout some Queryable & ~Copyable) throws(PostgresError) {
        let found = try database.query(ReportSQL.period, question.account, question.month).decode(ReportPeriod.init)
        guard let period = found.first else { return nil }
        account = question.account
        bucket = question.bucket
        timezone = period.timezone
        aggregatedAt = period.aggregatedAt
        end = period.end

        let (statement, zone) = (ReportSQL.buckets(bucket), period.timezone)
        let rows =
            bucket == .month
            ? try database.query(statement, period.start, end, zone, period.anchorDay, Self.monthCount)
            : try database.query(statement, period.start, end, zone)
        let buckets = rows.decode((Timestamp, String).self)
        starts = buckets.map(\.0)
        labels = buckets.map(\.1)

        let wanted = question.tenants.map { Set($0) }
        var tables: [(tenant: String, schema: Identifier)] = []
        for (tenant, schema) in try database.query(ReportSQL.tenants, question.account).decode((String, String).self)
        where question.hasPool || wanted?.contains(tenant) != false {
            tables.append((tenant, try Identifier(schema)))
        }
        series = try Self.read(question, wanted, tables, starts: starts, end: end, on: &database)
    }

    private static func read(
        _ question: Question, _ wanted: Set<String>?, _ tables: [(tenant: String, schema: Identifier)], starts: [Timestamp],
        end: Timestamp, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [Series] {
        let empty = [Int64](repeating: 0, count: starts.count)
        var pool: [Metric: [Int64]] = [:]
        var series: [Series] = []
        for first in stride(from: 0, to: tables.count, by: chunk) {
            let part = tables[first..<min(first + chunk, tables.count)]
            for table in part {
                let hasUsers = question.metrics.contains(.activeUsers)
                let statement = ReportSQL.series(table.schema, question.bucket, hasUsers: hasUsers)
                if question.bucket == .month, hasUsers {
                    try database.send(statement, starts, end, table.tenant)
                } else {
                    try database.send(statement, starts, end)
                }
            }
            for (table, rows) in zip(part, try database.collect()) {
                var values: [Metric: [Int64]] = [:]
                for (name, index, value) in rows.decode((String, Int, Int64).self) {
                    guard let metric = Metric(rawValue: name), empty.indices.contains(index) else { continue }
                    values[metric, default: empty][index] += value
                    pool[metric, default: empty][index] += value
                }
                guard wanted?.contains(table.tenant) != false else { continue }
                series += question.metrics.map { Series(tenant: table.tenant, metric: $0, values: values[$0] ?? empty) }
            }
        }
        guard question.hasPool else { return series }
        return question.metrics.map { Series(tenant: nil, metric: $0, values: pool[$0] ?? empty) } + series
    }
}
