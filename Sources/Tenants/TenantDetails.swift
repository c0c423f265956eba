public import Contract
public import Postgres

/// Everything about one tenant but its data and its usage.
public struct TenantDetails: Sendable {
    public let slug: String
    public let account: String
    /// The name of its schema in the database.
    public let schema: String
    public let displayName: String
    public let state: TenantState
    /// Its own plan, or else the account's.
    public let plan: String
    public let planIsInherited: Bool
    public let environment: String
    /// `account` or `separate`.
    public let billingMode: String
    public let stripeAccount: String?
    /// `<account>/<job id>` of the job that made it.
    public let createdBy: String?
    public let administrators: Int64
    /// Tokens of its own that are valid.
    public let tokens: Int64
    /// Its own limits: an object of metrics; null is unlimited.
    public let limits: JSONText
    /// Of a tenant that is purged: how many rows each of its tables had.
    public let purgedRows: JSONText?
    public let createdAt: Timestamp
    public let updatedAt: Timestamp
    /// Its last user message.
    public let lastActiveAt: Timestamp?
    public let suspendedAt: Timestamp?
    public let archivedAt: Timestamp?
    /// When the leader is to purge it.
    public let purgeAt: Timestamp?
    public let purgedAt: Timestamp?

    /// One tenant; nil if there is none of this slug.
    public static func find(
        _ slug: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> TenantDetails? {
        try database.query(SQL.find, slug).decode(TenantDetails.init).first
    }

    /// Its settings as one JSON object; nil if it is purged and has none any more.
    public func settings(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> JSONText? {
        guard state != .purged else { return nil }
        return try database.query(SQL.settings(try Identifier(schema))).only(JSONText.self)
    }

    enum SQL {
        static let find: Statement = """
            select t.slug, t.account, t.schema_name, t.display_name, t.state, coalesce(t.plan, a.plan), t.plan is null, t.environment,
                   t.billing_mode, t.stripe_account, t.created_by,
                   (select count(*) from tenantry.administrators where tenant = t.slug),
                   (select count(*) from tenantry.credentials
                    where tenant = t.slug and role = 'token' and session_of is null and revoked_at is null and expires_at > now()),
                   coalesce((select jsonb_object_agg(metric, limit_value) from tenantry.custom_limits
                             where account = t.account and tenant = t.slug), '{}'),
                   (select row_counts from tenantry.purges where tenant = t.slug),
                   t.created_at, t.updated_at, t.last_active_at, t.suspended_at, t.archived_at, t.purge_at, t.purged_at
            from tenantry.tenants t join tenantry.accounts a on a.slug = t.account
            where t.slug = $1
            """

        static func settings(_ schema: Identifier) -> Statement {
            Statement("select coalesce(jsonb_object_agg(key, value), '{}') from \(schema.quoted).settings")
        }
    }
}
