internal import Contract
internal import Jobs
internal import Postgres

/// A tenant's row, locked until the commit.
struct TenantRow {
    let slug: String
    let account: String
    let schema: Identifier
    let state: TenantState
    /// True also for a tenant that was suspended before it was archived.
    let isSuspended: Bool

    /// The row of the job's tenant as it is now: another job may have changed its state since this one was authorized.
    static func hold(for job: Job, on database: inout Transaction) throws -> TenantRow {
        guard let record = job.tenant else { preconditionFailure("\(job.kind.name) passed without a tenant") }
        let found = try database.query(SQL.hold, record.slug).first((String, Bool).self)
        guard let (name, isSuspended) = found, let state = TenantState(rawValue: name), state != .purged else {
            throw Rejection(.tenantUnknown, "tenant \(record.slug) was purged")
        }
        guard job.kind.states.contains(state) else {
            throw Rejection(.tenantSuspended, "tenant \(record.slug) is \(state.rawValue)")
        }
        return TenantRow(
            slug: record.slug, account: record.account, schema: record.schema, state: state, isSuspended: isSuspended)
    }

    /// `{"tenant", "state"}`.
    func result(_ state: TenantState) -> [String: JSONValue] {
        ["tenant": .string(slug), "state": .string(state.rawValue)]
    }

    /// Puts an event into the outbox: the job has brought the tenant into another state.
    func announce(
        _ what: LifecycleEvent, _ state: TenantState, by job: Job, _ more: [String: JSONValue] = [:],
        on database: inout Transaction
    ) throws(PostgresError) {
        let data = more.merging(["state": .string(state.rawValue)]) { more, _ in more }
        try Outbox.append([.event(what, account: account, tenant: slug, job: job.id, data)], on: &database)
    }

    enum SQL {
        static let hold: Statement = """
            select state, suspended_at is not null from tenantry.tenants where slug = $1 for no key update
            """
    }
}
