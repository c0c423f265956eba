public import Contract
internal import Jobs
public import Postgres

/// A tenant: its row, and the limits of its own.
public struct TenantSummary: Sendable {
    public let slug: String
    public let account: String
    /// The name of its schema in the database.
    public let schema: String
    public let displayName: String
    /// nil: the account's.
    public let plan: String?
    public let environment: String
    public let state: TenantState
    /// `consolidated` or `separate`.
    public let billingMode: String
    public let stripeAccount: String?
    /// Its own limits: an object of metrics; null is unlimited.
    public let limits: JSONValue
    public let createdAt: Timestamp
    public let updatedAt: Timestamp
    /// Its last user message, as of the last recount.
    public let lastActiveAt: Timestamp?
    public let suspendedAt: Timestamp?
    public let archivedAt: Timestamp?
    /// When the leader is to purge it.
    public let purgeAt: Timestamp?
    public let purgedAt: Timestamp?

    /// The tenants, ordered by account and slug. A filter that is nil lets everything pass.
    public static func list(
        account: String? = nil, state: TenantState? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TenantSummary] {
        try database.query(SQL.list, account, state?.rawValue).decode(TenantSummary.init)
    }

    /// One tenant, also a purged one; nil if there is none of this slug.
    public static func find(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> TenantSummary? {
        try database.query(SQL.find, slug).decode(TenantSummary.init).first
    }

    enum SQL {
        static let columns = """
            t.slug, t.account, t.schema_name, t.display_name, t.plan, t.environment, t.state, t.billing_mode, t.stripe_account,
                   coalesce((select jsonb_object_agg(c.metric, c.limit_value) from tenantry.custom_limits c
                             where c.account = t.account and c.tenant = t.slug), '{}'),
                   t.created_at, t.updated_at, t.last_active_at, t.suspended_at, t.archived_at, t.purge_at, t.purged_at
            """
        static let list = Statement(
            """
            select \(columns) from tenantry.tenants t
            where ($1::text is null or t.account = $1) and ($2::text is null or t.state = $2) order by t.account, t.slug
            """)
        static let find = Statement("select \(columns) from tenantry.tenants t where t.slug = $1")
    }
}

extension TenantSummary.SQL {
    static let countIdle: Statement = """
        select count(*) from tenantry.tenants
        where ($1::text is null or account = $1) and state in ('active', 'suspended')
          and coalesce(last_active_at, created_at) < now() - $2 * interval '1 hour'
        """
    /// `$1` account, `$2` state, `$3` plan, `$4` environment, `$5` part of slug or name, `$6` whether idle, `$7` for how many hours,
    /// `$8` the slug before, `$9` the most rows, `$10` a slug. Idle is what `IdleTenants` announces: what was logged since the last recount may not be in
    /// `last_active_at` yet.
    static let page = Statement(
        """
        select \(columns)
        from tenantry.tenants t join tenantry.accounts a on a.slug = t.account
        where t.slug > $8 and ($10::text is null or t.slug = $10) and ($1::text is null or t.account = $1)
          and ($2::text is null and t.state <> 'purged' or t.state = $2)
          and ($3::text is null or coalesce(t.plan, a.plan) = $3) and ($4::text is null or t.environment = $4)
          and ($5::text is null or strpos(lower(t.slug), lower($5)) > 0 or strpos(lower(t.display_name), lower($5)) > 0)
          and ($6::bool is null or $6 = (
              coalesce(t.last_active_at, t.created_at) < now() - $7 * interval '1 hour'
              and not exists (
                  select from tenantry.tenant_usage u
                  where u.tenant = t.slug and u.period_start > '-infinity' and u.changed_at > a.recounted_at)))
        order by t.slug limit $9
        """)
}

extension TenantState: ColumnValue {
    /// The column has no other words than these: a constraint sees to it.
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> TenantState {
        let word = rows.text(row, column)
        guard let state = TenantState(rawValue: word) else { preconditionFailure("\(word) is no state of a tenant") }
        return state
    }
}
