public import Jobs
public import Postgres

/// A pool or a tenant that has reached a limit in the present period, by its alerts.
public struct ReachedSubject: Sendable {
    public let account: String
    /// nil: the account's pool.
    public let tenant: String?
    public let metric: String
    /// As its last alert has it.
    public let value: Int64
    public let limit: Int64?
    public let mode: String
    /// When the alert was made.
    public let at: Timestamp

    public static let representation = Representation<ReachedSubject> {
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.text("metric", \.metric)
        Member.number("value", \.value)
        Member.number("limit", \.limit)
        Member.text("mode", \.mode)
        Member.instant("at", \.at)
    }

    private typealias Member = Representation<ReachedSubject>.Member

    /// Those whose last alert for 100 % or more is not resolved, the latest first.
    ///
    /// - Parameter account: this one's alone; nil: all.
    public static func list(
        account: String?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [ReachedSubject] {
        try database.query(SQL.list, account, limit).decode(ReachedSubject.init)
    }

    enum SQL {
        /// Alerts of the last forty days are looked at: no period is longer.
        static let list: Statement = """
            select r.account, r.tenant, r.metric, r.value, r.limit_value, r.mode, r.created_at
            from (
                select distinct on (a.account, coalesce(a.tenant, ''), a.metric) a.*
                from tenantry.alerts a
                where a.created_at > now() - interval '40 days' and a.threshold_percent >= 100 and a.period_end > now()
                  and ($1::text is null or a.account = $1)
                order by a.account, coalesce(a.tenant, ''), a.metric, a.created_at desc
            ) r
            left join tenantry.tenants t on t.slug = r.tenant
            where r.state = 'breached' and (r.tenant is null or t.state <> 'purged')
            order by r.created_at desc, r.id limit $2
            """
    }
}
