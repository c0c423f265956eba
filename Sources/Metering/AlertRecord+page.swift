public import Contract
public import Jobs
public import Postgres

extension AlertRecord {
    /// With the names that the event has.
    public static let representation = Representation<AlertRecord> {
        Member.text("id", \.id)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.word("metric", among: Metric.allCases.map(\.rawValue), \.metric)
        Member.number("threshold_percent", \.thresholdPercent)
        Member.word("state", among: AlertEvent.State.allCases.map(\.rawValue), \.state)
        Member.number("value", \.value)
        Member.number("previous_value", \.previousValue)
        Member.number("limit", \.limit)
        Member.word("mode", among: AlertEvent.Mode.allCases.map(\.rawValue), \.mode)
        Member.text("plan", \.plan)
        Member.instant("period_start", \.periodStart)
        Member.instant("period_end", \.periodEnd)
        Member.instant("created_at", \.createdAt)
        Member.instant("published_at", \.publishedAt)
    }

    private typealias Member = Representation<AlertRecord>.Member

    public var position: [String] { [createdAt.rfc3339, id] }

    /// A page of the alerts, the newest first. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - from: written at this time or later.
    ///   - to: written before this time.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, tenant: String? = nil, metric: Metric? = nil, state: AlertEvent.State? = nil,
        from: Timestamp? = nil, to: Timestamp? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AlertRecord] {
        let start = PageStart(after: position)
        return try database.query(
            SQL.page, account, tenant, metric?.rawValue, state?.rawValue, from, to, start.time(0), start.uuid(1), limit
        ).decode(AlertRecord.init)
    }
}

extension AlertRecord.SQL {
    /// `$1` account, `$2` tenant, `$3` metric, `$4` state, `$5` from, `$6` to, `$7`, `$8` the place before, `$9` the most rows.
    static let page = Statement(
        """
        select \(columns) from tenantry.alerts
        where (created_at, id) < ($7, $8::text::uuid)
          and created_at >= coalesce($5::timestamptz, '-infinity') and created_at < coalesce($6::timestamptz, 'infinity')
          and ($1::text is null or account = $1) and ($2::text is null or tenant = $2) and ($3::text is null or metric = $3)
          and ($4::text is null or state = $4)
        order by created_at desc, id desc limit $9
        """)
}
