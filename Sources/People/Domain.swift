internal import Contract
internal import Jobs
internal import Postgres

/// What a job about people or keys is for: an account, or one of its tenants.
struct Domain {
    let account: String
    /// nil: the account as a whole.
    let tenant: String?

    /// The tenant of the header; without one, what the sender is limited to.
    ///
    /// The tenant is held until the transaction's end. Whoever purges it comes before, and is seen, or after, and finds what was made here.
    ///
    /// - Throws: `Rejection` where the tenant takes no such job as it stands.
    init(_ job: Job, on database: inout Transaction) throws {
        account = job.account
        tenant = job.tenant?.slug ?? job.principal.tenant
        guard let tenant else { return }
        var parameters = Parameters()
        parameters.append(tenant)
        let rows = try database.query(SQL.state, parameters)
        guard rows.count == 1, let state = TenantState(rawValue: rows.text(0, 0)), state != .purged else {
            throw Rejection(.tenantUnknown, "there is no tenant \(tenant)")
        }
        guard job.kind.states.contains(state) else {
            throw Rejection(.tenantSuspended, "tenant \(tenant) is \(state.rawValue)")
        }
    }

    enum SQL {
        static let state: Statement = "select state from tenantry.tenants where slug = $1 for key share"
    }
}
