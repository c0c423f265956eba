internal import Contract
internal import Crypto
internal import Jobs
internal import Postgres

/// What a lane remembers of credentials and tenants, so that most jobs are authorized without asking the database.
///
/// Only what exists is remembered: a tenant that was created a moment ago is found at once. Whatever changes tenants, credentials or plans
/// moves `tenantry.directory`'s version, which is asked for before each batch; when it has moved, everything is asked for anew. So a
/// job that is sent after a change was committed finds it. All unknown names of a batch are asked for in one statement each.
final class Directory {
    /// Entries are asked for anew after so long, whatever the version says. A credential's own end comes sooner.
    static let lifetimeSeconds = 60.0
    /// Entries kept before the cache starts afresh.
    private static let capacity = 50_000

    private struct Entry<Value> {
        let value: Value
        let expiresAt: Double
    }

    /// A credential is remembered under its digest, not under its secret.
    typealias Fingerprint = SHA256Digest

    private var principals: [Fingerprint: Entry<Principal>] = [:]
    private var tenants: [String: Entry<TenantRecord>] = [:]
    private var version: Int64?

    /// Forgets everything if anything has changed since the last batch.
    func refresh(from database: inout Postgres.Connection) throws(PostgresError) {
        let current = try database.query(SQL.version).int(0, 0)
        guard current != version else { return }
        version = current
        principals.removeAll(keepingCapacity: true)
        tenants.removeAll(keepingCapacity: true)
    }

    func principal(_ fingerprint: Fingerprint, now: Double) -> Principal? {
        guard let entry = principals[fingerprint], entry.expiresAt > now else { return nil }
        return entry.value
    }

    func tenant(_ slug: String, now: Double) -> TenantRecord? {
        guard let entry = tenants[slug], entry.expiresAt > now else { return nil }
        return entry.value
    }

    /// Looks up credentials that are not remembered. What is unknown, wrong, expired or revoked stays unknown.
    func load(credentials: [Fingerprint: Bearer], now: Double, from database: inout Postgres.Connection) throws(PostgresError) {
        guard !credentials.isEmpty else { return }
        if principals.count > Self.capacity { principals.removeAll(keepingCapacity: true) }
        var parameters = Parameters()
        parameters.append(Array(Set(credentials.values.map(\.key))))
        let rows = try database.query(SQL.credentials, parameters)
        var found: [String: (hash: [UInt8], principal: Principal, secondsLeft: Double)] = [:]
        for row in 0..<rows.count {
            guard let role = Principal.Role(rawValue: rows.text(row, 1)) else { continue }
            let key = rows.text(row, 0)
            let principal = Principal(
                key: key, role: role, name: rows.text(row, 8), account: rows.optionalText(row, 2) ?? "",
                tenant: rows.optionalText(row, 3),
                scopes: Set(rows.texts(row, 4).compactMap(Scope.init(rawValue:))), expiresAt: rows.timestamp(row, 7),
                accountIsSuspended: rows.bool(row, 9))
            found[key] = (rows.bytes(row, 5), principal, rows.double(row, 6))
        }
        for (fingerprint, bearer) in credentials {
            guard let candidate = found[bearer.key], Self.isEqual(candidate.hash, bearer.secretHash) else { continue }
            let lifetime = min(Self.lifetimeSeconds, candidate.secondsLeft)
            principals[fingerprint] = Entry(value: candidate.principal, expiresAt: now + lifetime)
        }
    }

    /// Looks up tenants that are not remembered. What is unknown stays unknown.
    func load(tenants slugs: [String], now: Double, from database: inout Postgres.Connection) throws(PostgresError) {
        guard !slugs.isEmpty else { return }
        if tenants.count > Self.capacity { tenants.removeAll(keepingCapacity: true) }
        var parameters = Parameters()
        parameters.append(slugs)
        let rows = try database.query(SQL.tenants, parameters)
        for row in 0..<rows.count {
            let record = TenantRecord(
                slug: rows.text(row, 0), account: rows.text(row, 1), schema: try Identifier(rows.text(row, 2)),
                state: TenantState(rawValue: rows.text(row, 3)) ?? .suspended, timezone: rows.text(row, 4),
                billingAnchorDay: rows.int(row, 5), closedThrough: rows.timestamp(row, 6),
                mayHaveHardFlowLimit: rows.bool(row, 7), hasErasures: rows.bool(row, 8))
            tenants[record.slug] = Entry(value: record, expiresAt: now + Self.lifetimeSeconds)
        }
    }

    /// In constant time, so that an answer's delay tells nothing of a hash.
    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    enum SQL {
        static let version: Statement = "select version from tenantry.directory"
        static let credentials: Statement = """
            select c.key, c.role, c.account, c.tenant, c.scopes, c.secret_hash,
                   case when c.expires_at = 'infinity' then 1e9 else extract(epoch from c.expires_at - now()) end::float8,
                   c.expires_at, c.name, coalesce(a.state = 'suspended', false)
            from tenantry.credentials c left join tenantry.accounts a on a.slug = c.account
            where c.key = any($1) and c.revoked_at is null and c.expires_at > now()
            """
        static let tenants: Statement = """
            select t.slug, t.account, t.schema_name, t.state, a.timezone, a.billing_anchor_day, a.closed_through,
                   exists (select from tenantry.plan_limits l join tenantry.metrics m on m.name = l.metric
                           where l.plan in (a.plan, t.plan) and l.mode = 'hard' and not m.is_gauge),
                   t.has_erasures
            from tenantry.tenants t join tenantry.accounts a on a.slug = t.account
            where t.slug = any($1)
            """
    }
}
