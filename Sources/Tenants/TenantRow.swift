internal import Contract
internal import Jobs
internal import Postgres

/// A tenant's row, held until the commit.
struct TenantRow {
    let slug: String
    let account: String
    let schema: Identifier
    let state: TenantState
    /// Also where an archive hides it.
    let isSuspended: Bool

    /// The row of the job's tenant, as it is now: since the job was let through, another may have changed its state.
    static func hold(for job: Job, on database: inout Transaction) throws -> TenantRow {
        guard let record = job.tenant else { preconditionFailure("\(job.kind.name) passed without a tenant") }
        var parameters = Parameters()
        parameters.append(record.slug)
        let rows = try database.query(SQL.hold, parameters)
        guard rows.count == 1, let state = TenantState(rawValue: rows.text(0, 0)), state != .purged else {
            throw Rejection(.tenantUnknown, "tenant \(record.slug) was purged")
        }
        guard job.kind.states.contains(state) else {
            throw Rejection(.tenantSuspended, "tenant \(record.slug) is \(state.rawValue)")
        }
        return TenantRow(
            slug: record.slug, account: record.account, schema: record.schema, state: state, isSuspended: rows.bool(0, 1))
    }

    /// `{"tenant", "state"}`.
    func result(_ state: TenantState) -> [String: JSONValue] {
        ["tenant": .string(slug), "state": .string(state.rawValue)]
    }

    /// Tells the world that the job has brought the tenant into another state.
    func announce(
        _ what: LifecycleEvent, _ state: TenantState, by job: Job, _ more: [String: JSONValue] = [:],
        on database: inout Transaction
    ) throws(PostgresError) {
        let data = more.merging(["state": .string(state.rawValue)]) { more, _ in more }
        try Outbox.append([.event(what, account: account, tenant: slug, job: job.id, data)], on: &database)
    }

    /// A statement whose first parameter is the slug.
    func parameters() -> Parameters {
        var parameters = Parameters()
        parameters.append(slug)
        return parameters
    }

    enum SQL {
        static let hold: Statement = """
            select state, suspended_at is not null from tenantry.tenants where slug = $1 for no key update
            """
    }
}
