internal import Contract
internal import Jobs
public import Postgres

/// Suspends and resumes a tenant straight in the database, when that must not wait for the broker. Jobs do the same by `tenant.suspend` and
/// `tenant.resume`.
public enum TenantSuspension {
    /// - Parameters:
    ///   - isSuspended: what it is to be. One that is so already stays as it is.
    ///   - actor: whom the audit log names.
    /// - Throws: `Rejection` where there is no such tenant (`tenant_unknown`), or it is archived (`tenant_suspended`); `PostgresError`.
    public static func set(
        _ slug: String, isSuspended: Bool, by actor: String, on database: inout Connection
    ) throws {
        try database.transaction { database in
            let found = try database.query(SQL.hold, slug).first((String, String).self)
            guard let (account, name) = found, let state = TenantState(rawValue: name), state != .purged else {
                throw Rejection(.tenantUnknown, "there is no tenant \(slug)")
            }
            guard Set<TenantState>.counted.contains(state) else {
                throw Rejection(.tenantSuspended, "tenant \(slug) is \(state.rawValue)")
            }
            let wanted: TenantState = isSuspended ? .suspended : .active
            guard state != wanted else { return }
            _ = try database.query(isSuspended ? SuspensionSQL.suspend : SuspensionSQL.resume, slug)
            let id = "command-\(SystemClock.nowMicroseconds())"
            try Outbox.append(
                [
                    .event(
                        isSuspended ? .tenantSuspended : .tenantResumed, account: account, tenant: slug, job: id,
                        ["state": .string(wanted.rawValue)])
                ], on: &database)
            let kind: Kind = isSuspended ? .tenantSuspend : .tenantResume
            try AuditLog.append(
                .init(
                    command: kind.name, account: account, tenant: slug, actor: actor, jobID: id,
                    details: ["result": ["tenant": .string(slug), "state": .string(wanted.rawValue)]]),
                on: &database)
        }
    }

    enum SQL {
        static let hold: Statement = "select account, state from tenantry.tenants where slug = $1 for no key update"
    }
}
