internal import Contract
internal import Fleet
internal import Postgres

extension People {
    /// `token.issue`: a credential with scopes. A token can only hand on what it holds itself.
    static func tokenIssue() -> any JobHandler {
        SingleJobHandler(TokenIssue.self) { payload, job, database in
            if let expiry = payload.expiresAt, expiry.microsecondsSince1970 <= Timestamp.now().microsecondsSince1970 {
                throw Rejection.invalid("/expires_at", "must be in the future")
            }
            let excess = TokenReach(job).excess(of: payload.scopes)
            guard excess.isEmpty else {
                let names = excess.map(\.rawValue).joined(separator: ", ")
                throw Rejection(.forbidden, "a token hands on only scopes of its own, and has no \(names)", field: "/scopes")
            }
            let bearer = Bearer.make(prefix: "tok")
            var token = Parameters()
            token.append(bearer.key)
            token.append(job.account)
            token.append(TokenReach(job).tenant)
            token.append(payload.name)
            token.append(Set(payload.scopes.map(\.rawValue)).sorted())
            token.append(bytes: bearer.secretHash)
            // What a token hands on does not outlive it.
            let expiry = payload.expiresAt.map { Timestamp(microsecondsSince1970: $0.microsecondsSince1970) } ?? .distantFuture
            token.append(timestamp: min(expiry, job.principal.expiresAt))
            _ = try database.query(TokenSQL.issue, token)
            return Reply(["key": .string(bearer.key)], onceOnly: ["secret": .string(bearer.secret)])
        }
    }

    /// `token.revoke`: by key, by name, or both; within the sender's reach.
    static func tokenRevoke() -> any JobHandler {
        SingleJobHandler(TokenRevoke.self) { payload, job, database in
            let reach = TokenReach(job)
            var token = Parameters()
            token.append(job.account)
            token.append(payload.key)
            token.append(payload.name)
            token.append(reach.tenant)
            token.append(reach.scopes?.map(\.rawValue).sorted() ?? Scope.allCases.map(\.rawValue))
            let rows = try database.query(TokenSQL.revoke, token)
            guard rows.count > 0 else {
                throw Rejection.invalid(
                    payload.key != nil ? "/key" : "/name", "names no token that is valid and within the sender's reach")
            }
            return Reply(["revoked": .array((0..<rows.count).map { .string(rows.text($0, 0)) })])
        }
    }
}

/// How far a sender's power over tokens goes.
private struct TokenReach {
    /// Only this tenant's tokens; nil: all of the account's.
    let tenant: String?
    /// Only within these scopes; nil: all.
    let scopes: Set<Scope>?

    init(_ job: Job) {
        tenant = job.tenant?.slug ?? job.principal.tenant
        scopes = job.principal.role == .token ? job.principal.scopes : nil
    }

    func excess(of wanted: [Scope]) -> [Scope] {
        guard let scopes else { return [] }
        return wanted.filter { !scopes.contains($0) }
    }
}

enum TokenSQL {
    static let issue: Statement = """
        insert into tenantry.credentials (key, role, account, tenant, name, scopes, secret_hash, expires_at)
        values ($1, 'token', $2, $3, $4, $5, $6, $7)
        """
    static let revoke: Statement = """
        update tenantry.credentials set revoked_at = now()
        where role = 'token' and revoked_at is null and account = $1 and ($2::text is null or key = $2) and ($3::text is null or name = $3)
          and ($4::text is null or tenant = $4) and scopes <@ $5
        returning key
        """
}
