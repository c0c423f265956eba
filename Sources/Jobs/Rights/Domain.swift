internal import Contract
public import Postgres

/// What a job about people, keys or webhooks is for: an account, or one of its tenants.
public struct Domain: Sendable {
    public let account: String
    /// nil: the account as a whole.
    public let tenant: String?

    /// The tenant of the header, else the one that the sender is limited to, else the whole account.
    ///
    /// The tenant's row stays locked until the transaction ends, so a purge comes either before, and the job is rejected here, or after,
    /// and withdraws what the job has made.
    ///
    /// - Throws: `Rejection` if the tenant's state does not take such a job.
    public init(_ job: Job, on database: inout Transaction) throws {
        account = job.account
        tenant = job.tenant?.slug ?? job.principal.tenant
        guard let tenant else { return }
        let found = try database.query(SQL.state, tenant).first(String.self)
        guard let state = found.flatMap({ TenantState(rawValue: $0) }), state != .purged else {
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

extension Domain: CustomStringConvertible {
    /// `tenant acme-shop` or `account acme`, for messages.
    public var description: String { tenant.map { "tenant \($0)" } ?? "account \(account)" }
}
