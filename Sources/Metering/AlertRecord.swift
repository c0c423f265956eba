public import Postgres

/// An alert on record: a threshold that a subject crossed, or came back under.
public struct AlertRecord: Sendable {
    public let createdAt: Timestamp
    /// nil while it waits in the outbox.
    public let publishedAt: Timestamp?
    /// `warning`, `breached` or `resolved`.
    public let state: String
    public let account: String
    /// nil: the account's pool.
    public let tenant: String?
    public let metric: String
    public let thresholdPercent: Int64
    /// What was used then.
    public let value: Int64
    /// What the limit was then; nil: it was lifted.
    public let limit: Int64?
    /// The event's id, and its message's.
    public let id: String
    /// What was used when it was measured before.
    public let previousValue: Int64
    /// `soft` or `hard`.
    public let mode: String
    public let plan: String
    public let periodStart: Timestamp
    public let periodEnd: Timestamp

    /// The alerts, the newest first.
    ///
    /// - Parameters:
    ///   - account: only this account's; nil: all.
    ///   - limit: the most alerts.
    public static func list(
        account: String? = nil, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AlertRecord] {
        try database.query(SQL.list, account, limit).decode(AlertRecord.init)
    }

    enum SQL {
        static let columns = """
            created_at, published_at, state, account, tenant, metric, threshold_percent, value, limit_value, id::text, previous_value, mode, plan,
            period_start, period_end
            """
        static let list = Statement(
            """
            select \(columns) from tenantry.alerts
            where $1::text is null or account = $1 order by created_at desc, threshold_percent desc limit $2
            """)
    }
}
