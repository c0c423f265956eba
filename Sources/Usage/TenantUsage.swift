public import Contract
public import Jobs
internal import Metering
public import Postgres

/// What each tenant of an account used of one metric in a period: the rows of a list.
public struct TenantUsage: Sendable {
    public let tenant: String
    public let metric: Metric
    public let value: Int64
    /// The tenant's own, or its own plan's; nil: the pool's limit alone counts.
    public let limit: Int64?
    /// nil: there is no limit.
    public let mode: AlertEvent.Mode?
    /// The tenant's part of the pool, from 0 to 1; nil for whom that is none of their business.
    public let share: Double?
    /// Of each day of the period that has begun, on the account's clock; nil: not asked for, or the metric has no history.
    public let days: [Int64]?

    public static let representation = Representation<TenantUsage> {
        Member.text("tenant", \.tenant)
        Member.word("metric", \.metric)
        Member.number("value", \.value)
        Member.number("limit", \.limit)
        Member("mode", schema: ["type": ["string", "null"], "enum": ["soft", "hard", .null]]) {
            $0.mode.map { .string($0.rawValue) } ?? .null
        }
        Member("share", schema: ["type": ["number", "null"], "minimum": 0, "maximum": 1]) {
            $0.share.map { .double($0) } ?? .null
        }
        Member("days", schema: ["type": ["array", "null"], "items": ["type": ["integer", "string"]]]) {
            $0.days.map { .array($0.map { .number($0) }) } ?? .null
        }
    }

    private typealias Member = Representation<TenantUsage>.Member

    public var position: [String] { [tenant] }

    /// Which rows.
    public struct Question: Sendable {
        public var account: String
        public var metric = Metric.messages
        /// The period that begins in this month, `YYYY-MM`; nil: the present one.
        public var month: String?
        /// These alone; empty: all.
        public var tenants: [String] = []
        /// A part of slug or name.
        public var part: String?
        /// Whether each day is wanted, too: it takes a look into each tenant's tables.
        public var withDays = false
        public var withShares = true

        public init(account: String) {
            self.account = account
        }
    }

    /// A page of the tenants that are not purged, ordered by slug; as of one moment in a transaction that is `REPEATABLE READ`.
    ///
    /// - Returns: nil if there is no such account.
    public static func page(
        _ question: Question, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TenantUsage]? {
        var asked = UsageReport.Question(
            account: question.account, tenants: [], hasPool: false, metrics: [question.metric], month: question.month, by: .day)
        guard let frame = try UsageReport(asked, on: &database) else { return nil }
        let rows = try database.query(
            SQL.page, question.account, frame.period.start, question.metric.rawValue, question.tenants, question.part,
            PageStart(after: position).text(0), limit
        ).decode((String, Int64, Int64?, String, Int64).self)
        var days: [String: [Int64]] = [:]
        if question.withDays, !question.metric.isGauge, !rows.isEmpty {
            asked.tenants = rows.map(\.0)
            for series in try UsageReport(asked, on: &database)?.series ?? [] {
                if let tenant = series.tenant { days[tenant] = Array(series.values.prefix(frame.begun)) }
            }
        }
        return rows.map { tenant, value, most, mode, pool in
            TenantUsage(
                tenant: tenant, metric: question.metric, value: value, limit: most,
                mode: most == nil ? nil : AlertEvent.Mode(rawValue: mode),
                share: question.withShares ? UsageTotal.share(value, of: pool) : nil, days: days[tenant])
        }
    }

    enum SQL {
        /// `$1` the account, `$2` the period's start, `$3` the metric, `$4` these tenants alone, `$5` a part of slug or name, `$6` the slug before, `$7`
        /// the most rows. The page's tenants are found first; counters and limits are looked up for them alone.
        static let page = Statement(
            """
            select t.slug, coalesce(\(Metric.allCases.value(of: "$3", in: "u")), 0), l.limit_value, l.mode, pool.value
            from (
                select slug from tenantry.tenants
                where account = $1 and state <> 'purged' and slug > $6 and (cardinality($4::text[]) = 0 or slug = any($4))
                  and ($5::text is null or strpos(slug, lower($5)) > 0 or strpos(lower(display_name), lower($5)) > 0)
                order by slug limit $7
            ) t
            cross join lateral (select case when m.is_gauge then '-infinity' else $2::timestamptz end as start from tenantry.metrics m where m.name = $3) p
            left join tenantry.tenant_usage u on u.tenant = t.slug and u.period_start = p.start
            left join lateral (select limit_value, mode from tenantry.limits_of($1, t.slug) where metric = $3) l on true
            cross join lateral (
                select coalesce(sum(part.value), 0)::int8 as value from (
                    select \(Metric.allCases.value(of: "$3", in: "a")) as value from tenantry.account_usage a
                    where a.account = $1 and a.period_start = p.start
                    union all
                    select \(Metric.allCases.value(of: "$3", in: "d")) from tenantry.usage_deltas d
                    where d.account = $1 and d.period_start = p.start
                ) part
            ) pool
            order by t.slug
            """)
    }
}
