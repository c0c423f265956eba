internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `token.revoke`: by key, by name, or both, as far as the sender may; and all tokens that were issued by the withdrawn ones.
    static func tokenRevoke() -> any JobHandler {
        SingleJobHandler(TokenRevoke.self) { payload, job, database in
            let domain = try Domain(job, on: &database)
            let scopes = job.principal.role == .token ? job.principal.scopes : Set(Scope.allCases)
            var withdrawn = try database.query(
                TokenSQL.revoke, domain.account, payload.key, payload.name, domain.tenant, scopes.map(\.rawValue).sorted()
            ).decode(String.self)
            guard !withdrawn.isEmpty else {
                throw Rejection.invalid(
                    payload.key != nil ? "/key" : "/name", "names no token that is valid and within the sender's reach")
            }
            withdrawn += try TokenRevocation.handedOn(by: withdrawn, on: &database)
            return Reply(["revoked": .array(withdrawn.map { .string($0) })])
        }
    }
}
