internal import Postgres

/// What workers, readers and the API may do in the control schema, said once. What is not here, they may not.
///
/// A table that is added by a migration has its line here, or nobody but the owner gets at it. A worker needs `update` to lock rows, too.
struct ControlGrants {
    let relation: StaticString
    /// Privileges as `grant` takes them; nil: none.
    let worker: StaticString?
    let reader: StaticString?
    /// What a reader has, unless it is more.
    let api: StaticString?

    private init(_ relation: StaticString, worker: StaticString?, reader: StaticString?, api: StaticString? = nil) {
        self.relation = relation
        self.worker = worker
        self.reader = reader
        self.api = api ?? reader
    }

    func privileges(of role: DatabaseRole) -> StaticString? {
        switch role {
        case .worker: worker
        case .reader: reader
        case .api: api
        }
    }

    static let all: [ControlGrants] = [
        // What is sold is the operators' to say.
        ControlGrants("metrics", worker: "select", reader: "select"),
        ControlGrants("plans", worker: "select", reader: "select"),
        ControlGrants("plan_limits", worker: "select", reader: "select"),
        // Accounts and tenants stay for good: what they used may still be billed.
        ControlGrants("accounts", worker: "select, insert, update", reader: "select"),
        ControlGrants("tenants", worker: "select, insert, update", reader: "select"),
        ControlGrants("custom_limits", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("billing_terms", worker: "select, insert", reader: "select"),
        ControlGrants("directory", worker: "select, update", reader: "select"),
        // People and credentials: a reader sees who there is, and no hash that could be tried out. The API has to try them.
        ControlGrants(
            "credentials", worker: "select, insert, update, delete",
            reader:
                "select (key, role, account, tenant, name, scopes, created_at, expires_at, revoked_at, issued_by, administrator, session_of, reason)",
            api: "select"),
        ControlGrants(
            "administrators", worker: "select, insert, update, delete",
            reader: "select (id, account, tenant, email, display_name, role, created_at, has_password)", api: "select"),
        ControlGrants(
            "credential_uses", worker: "select, insert, update, delete", reader: "select", api: "select, insert, update"),
        ControlGrants("sign_in_failures", worker: "select, delete", reader: nil, api: "select, insert, delete"),
        // The past stays as it was written. Number and time of an entry are the database's, so nothing is put in between later.
        ControlGrants(
            "audit_log", worker: "select, insert (account, tenant, credential, role, actor, kind, job_id, details)",
            reader: "select"),
        ControlGrants(
            "refused_jobs", worker: "select, insert, update (jobs)", reader: "select", api: "select, insert, update (jobs)"),
        ControlGrants("purges", worker: "select, insert", reader: "select"),
        // The fleet's own. A reader sees how much there is; answers and messages are for those to whom they go.
        ControlGrants("inbox", worker: "select, insert, update, delete", reader: nil, api: "select"),
        ControlGrants("http_jobs", worker: "select, update, delete", reader: nil, api: "select, insert, update, delete"),
        ControlGrants(
            "outbox", worker: "select, insert, update, delete",
            reader: "select (id, exchange, routing_key, message_id, type, content_type, next_at, created_at)"),
        ControlGrants(
            "postponed_messages", worker: "select, insert, update, delete",
            reader: "select (id, exchange, attempts, next_at, created_at)"),
        ControlGrants("leases", worker: "select, insert, update", reader: "select"),
        ControlGrants("suspects", worker: "select, insert, update, delete", reader: nil),
        ControlGrants("job_rates", worker: "select, insert, update, delete", reader: nil),
        ControlGrants("dead_letters", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("dead_letter_erasures", worker: "select, insert, delete", reader: nil),
        ControlGrants("seal", worker: "select", reader: nil),
        ControlGrants("workers", worker: "select, insert, update, delete", reader: "select"),
        // A webhook's secret is for whoever signs.
        ControlGrants("webhooks", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("webhook_secrets", worker: "select, insert, update, delete", reader: nil),
        ControlGrants("webhook_events", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("webhook_deliveries", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("webhook_lines", worker: "select, insert, update, delete", reader: nil),
        // Usage, alerts and bills.
        ControlGrants("tenant_usage", worker: "select, insert, update", reader: "select"),
        ControlGrants("account_usage", worker: "select, insert, update", reader: "select"),
        ControlGrants("usage_deltas", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("account_usage_hourly", worker: "select, insert, update", reader: "select"),
        ControlGrants("account_usage_daily", worker: "select, insert, update", reader: "select"),
        ControlGrants("late_usage", worker: "select, insert, update", reader: "select"),
        ControlGrants("current_usage", worker: "select", reader: "select"),
        ControlGrants("alerts", worker: "select, insert, update", reader: "select"),
        ControlGrants("invoices", worker: "select, insert, update", reader: "select"),
        ControlGrants("invoice_lines", worker: "select, insert, update", reader: "select"),
        ControlGrants("stripe_grants", worker: "select", reader: "select"),
        ControlGrants("stripe_customers", worker: "select, insert, update, delete", reader: nil),
        // What was erased is not to be found again by trying ids.
        ControlGrants("erased_messages", worker: "select, insert, delete", reader: nil),
        ControlGrants("erased_usage", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("templates", worker: "select, insert, update, delete", reader: "select"),
        ControlGrants("template_documents", worker: "select, insert, delete", reader: "select"),
        ControlGrants("template_chunks", worker: "select, insert, delete", reader: "select"),
        // How schemas are made, and by whom, is the owner's.
        ControlGrants("migrations", worker: "select", reader: "select"),
        ControlGrants("database_roles", worker: nil, reader: nil),
        ControlGrants("tenant_migrations", worker: nil, reader: nil),
    ]

    /// What workers have instead of DDL.
    static let workerFunctions: [StaticString] = [
        "create_tenant_schemas(text[])", "drop_tenant_schema(text)", "forget_refused_jobs()", "require_lease(text, bigint)",
        recordReading,
    ]
    /// What readers may call, though they write nothing themselves.
    static let readerFunctions: [StaticString] = [recordReading]
    /// How the API makes and ends sessions, puts something on record, and takes settled letters off the lists.
    static let apiFunctions: [StaticString] = [
        "sign_in(uuid, text, text, bytea, timestamptz)", "end_session(text, text)", "record_request(text, text, text, jsonb)",
        "forget_letters(text, uuid[])", "open_session(text, text, bytea, timestamptz, text, text)",
    ]
    private static let recordReading: StaticString = "record_reading(text, text, text, jsonb)"

    static func functions(of role: DatabaseRole) -> [StaticString] {
        switch role {
        case .worker: workerFunctions
        case .reader: readerFunctions
        case .api: apiFunctions
        }
    }

    /// Takes everything in the control schema from a role and gives it what is listed here: one transaction's worth.
    static func script(_ role: DatabaseRole, _ name: Identifier) -> String {
        let name = name.quoted
        var lines = [
            "revoke all on schema tenantry from \(name)",
            "revoke all on all tables in schema tenantry from \(name)",
            "revoke all on all functions in schema tenantry from \(name)",
            "grant usage on schema tenantry to \(name)",
        ]
        for grants in all {
            guard let privileges = grants.privileges(of: role) else { continue }
            lines.append("grant \(privileges) on tenantry.\(grants.relation) to \(name)")
        }
        lines += functions(of: role).map { "grant execute on function tenantry.\($0) to \(name)" }
        return lines.map { $0 + ";" }.joined(separator: "\n")
    }
}
