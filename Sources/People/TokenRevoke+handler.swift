internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `token.revoke`: by key, by name, or both, within the sender's reach; and all that the withdrawn tokens handed on.
    static func tokenRevoke() -> any JobHandler {
        SingleJobHandler(TokenRevoke.self) { payload, job, database in
            let domain = try Domain(job, on: &database)
            let scopes = job.principal.role == .token ? job.principal.scopes : Set(Scope.allCases)
            var token = Parameters()
            token.append(domain.account)
            token.append(payload.key)
            token.append(payload.name)
            token.append(domain.tenant)
            token.append(scopes.map(\.rawValue).sorted())
            var withdrawn = keys(try database.query(TokenSQL.revoke, token))
            guard !withdrawn.isEmpty else {
                throw Rejection.invalid(
                    payload.key != nil ? "/key" : "/name", "names no token that is valid and within the sender's reach")
            }
            // Hand by hand, each in a statement of its own: what was handed on while the one before waited for it is seen.
            var latest = withdrawn
            while !latest.isEmpty {
                var issuers = Parameters()
                issuers.append(latest)
                latest = keys(try database.query(TokenSQL.revokeHandedOn, issuers))
                withdrawn += latest
            }
            return Reply(["revoked": .array(withdrawn.map { .string($0) })])
        }
    }

    private static func keys(_ rows: Rows) -> [String] {
        (0..<rows.count).map { rows.text($0, 0) }
    }
}
