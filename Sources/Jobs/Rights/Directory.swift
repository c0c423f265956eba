internal import Contract
public import Crypto
public import Postgres

/// What a lane, or a connection of the HTTP API, remembers of credentials and tenants, so that most jobs and requests are authorized without
/// asking the database for more than whether anything has changed.
///
/// Only what exists is remembered: a tenant that was created a moment ago is found at once. Whatever changes tenants, credentials or plans
/// moves `tenantry.directory`'s version, which is asked for before each batch or request; when it has moved, everything is asked for anew. So a
/// job that is sent after a change was committed finds it. All unknown names of a batch are asked for in one statement each.
public final class Directory {
    /// What is remembered is asked for anew after so long, whatever the version says. A credential's own end comes sooner.
    static let lifetimeSeconds = 60.0
    /// Names kept before the cache starts afresh.
    private static let capacity = 50_000

    private struct Cached<Value> {
        let value: Value
        let expiresAt: Double
    }

    /// A credential is remembered under its digest, not under its secret.
    public typealias Fingerprint = SHA256Digest

    private var principals: [Fingerprint: Cached<Principal>] = [:]
    /// By key: for jobs that are sealed.
    private var holders: [String: Cached<Principal>] = [:]
    private var tenants: [String: Cached<TenantRecord>] = [:]
    private var version: Int64?

    public init() {}

    /// Forgets everything if anything has changed since the last batch.
    public func refresh(from database: inout Postgres.Connection) throws(PostgresError) {
        let current = try database.query(SQL.version).only(Int64.self)
        guard current != version else { return }
        version = current
        principals.removeAll(keepingCapacity: true)
        holders.removeAll(keepingCapacity: true)
        tenants.removeAll(keepingCapacity: true)
    }

    public func principal(_ fingerprint: Fingerprint, now: Double) -> Principal? {
        guard let entry = principals[fingerprint], entry.expiresAt > now else { return nil }
        return entry.value
    }

    /// Whom a credential speaks for, asked of the database if it is not remembered; nil if it does not hold.
    public func principal(
        _ bearer: Bearer, now: Double, from database: inout Postgres.Connection
    ) throws(PostgresError) -> Principal? {
        let fingerprint = SHA256.hash(data: Array(bearer.token.utf8))
        if let known = principal(fingerprint, now: now) { return known }
        try load(credentials: [fingerprint: bearer], now: now, from: &database)
        return principal(fingerprint, now: now)
    }

    /// Whom a key speaks for; only for a job whose seal holds, since no secret was compared.
    public func holder(ofKey key: String, now: Double) -> Principal? {
        guard let entry = holders[key], entry.expiresAt > now else { return nil }
        return entry.value
    }

    public func tenant(_ slug: String, now: Double) -> TenantRecord? {
        guard let entry = tenants[slug], entry.expiresAt > now else { return nil }
        return entry.value
    }

    /// Looks up credentials that are not remembered. What is unknown, wrong, expired or revoked stays unknown.
    public func load(credentials: [Fingerprint: Bearer], now: Double, from database: inout Postgres.Connection)
        throws(PostgresError)
    {
        guard !credentials.isEmpty else { return }
        if principals.count > Self.capacity { principals.removeAll(keepingCapacity: true) }
        let keys = Array(Set(credentials.values.map(\.key)))
        let rows = try database.query(SQL.credentials, keys).decode(CredentialRow.init)
        let known = Dictionary(uniqueKeysWithValues: rows.map { ($0.key, $0) })
        for (fingerprint, bearer) in credentials {
            guard let row = known[bearer.key], row.secretHash.isEqualInConstantTime(to: bearer.secretHash),
                let principal = row.principal
            else { continue }
            principals[fingerprint] = Cached(value: principal, expiresAt: now + min(Self.lifetimeSeconds, row.secondsLeft))
        }
    }

    /// Looks up the holders of keys. Which jobs they may be believed for, their seals say.
    public func load(holdersOf keys: Set<String>, now: Double, from database: inout Postgres.Connection) throws(PostgresError) {
        guard !keys.isEmpty else { return }
        if holders.count > Self.capacity { holders.removeAll(keepingCapacity: true) }
        for row in try database.query(SQL.credentials, keys.sorted()).decode(CredentialRow.init) {
            guard let principal = row.principal else { continue }
            holders[row.key] = Cached(value: principal, expiresAt: now + min(Self.lifetimeSeconds, row.secondsLeft))
        }
    }

    /// Looks up tenants that are not remembered. What is unknown stays unknown.
    public func load(tenants slugs: [String], now: Double, from database: inout Postgres.Connection) throws(PostgresError) {
        guard !slugs.isEmpty else { return }
        if tenants.count > Self.capacity { tenants.removeAll(keepingCapacity: true) }
        for row in try database.query(SQL.tenants, slugs).decode(KnownTenantRow.init) {
            tenants[row.slug] = Cached(value: try row.record, expiresAt: now + Self.lifetimeSeconds)
        }
    }

    /// A row of ``SQL/credentials``.
    private struct CredentialRow {
        let key: String
        let role: String
        let account: String?
        let tenant: String?
        let scopes: [String]
        let secretHash: [UInt8]
        let secondsLeft: Double
        let expiresAt: Timestamp
        let name: String
        let accountIsSuspended: Bool
        let jobsPerMinute: Int64?

        /// nil where the role is none that this version knows.
        var principal: Principal? {
            Principal.Role(rawValue: role).map { role in
                Principal(
                    key: key, role: role, name: name, account: account ?? "", tenant: tenant,
                    scopes: Set(scopes.compactMap(Scope.init(rawValue:))), expiresAt: expiresAt,
                    accountIsSuspended: accountIsSuspended, jobsPerMinute: jobsPerMinute)
            }
        }
    }

    /// A row of ``SQL/tenants``.
    private struct KnownTenantRow {
        let slug: String
        let account: String
        let schema: String
        let state: String
        let timezone: String
        let billingAnchorDay: Int64
        let closedThrough: Timestamp
        let meteredFrom: Timestamp
        let mayHaveHardFlowLimit: Bool
        let hasErasures: Bool
        let jobsPerMinute: Int64?

        var record: TenantRecord {
            get throws(PostgresError) {
                TenantRecord(
                    slug: slug, account: account, schema: try Identifier(schema),
                    state: TenantState(rawValue: state) ?? .suspended, timezone: timezone, billingAnchorDay: billingAnchorDay,
                    closedThrough: closedThrough, meteredFrom: meteredFrom, mayHaveHardFlowLimit: mayHaveHardFlowLimit,
                    hasErasures: hasErasures,
                    jobsPerMinute: jobsPerMinute)
            }
        }
    }

    enum SQL {
        static let version: Statement = "select version from tenantry.directory"
        static let credentials: Statement = """
            select c.key, c.role, c.account, c.tenant, c.scopes, c.secret_hash,
                   case when c.expires_at = 'infinity' then 1e9 else extract(epoch from c.expires_at - now()) end::float8,
                   c.expires_at, c.name, coalesce(a.state = 'suspended', false), p.jobs_per_minute
            from tenantry.credentials c
            left join tenantry.accounts a on a.slug = c.account
            left join tenantry.plans p on p.name = a.plan
            left join tenantry.credentials o on o.key = c.session_of
            where c.key = any($1) and c.revoked_at is null and c.expires_at > now()
              and (c.session_of is null or o.revoked_at is null and o.expires_at > now())
            """
        static let tenants: Statement = """
            select t.slug, t.account, t.schema_name, t.state, a.timezone, a.billing_anchor_day, a.closed_through,
                   (select f.period_start from tenantry.period(a.created_at, a.timezone, a.billing_anchor_day) f),
                   exists (select from tenantry.plan_limits l join tenantry.metrics m on m.name = l.metric
                           where l.plan in (a.plan, t.plan) and l.mode = 'hard' and not m.is_gauge),
                   t.has_erasures, own.jobs_per_minute
            from tenantry.tenants t
            join tenantry.accounts a on a.slug = t.account
            left join tenantry.plans own on own.name = t.plan
            where t.slug = any($1)
            """
    }
}
