internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `token.issue`: a credential with scopes. A token can only hand on what it holds itself, and takes it along when it is withdrawn.
    static func tokenIssue() -> any JobHandler {
        SingleJobHandler(TokenIssue.self) { payload, job, database in
            if let expiry = payload.expiresAt, expiry.microsecondsSince1970 <= Timestamp.now().microsecondsSince1970 {
                throw Rejection.invalid("/expires_at", "must be in the future")
            }
            let issuer = job.principal.role == .token ? job.principal : nil
            let excess = payload.scopes.filter { issuer?.scopes.contains($0) == false }
            guard excess.isEmpty else {
                let names = excess.map(\.rawValue).joined(separator: ", ")
                throw Rejection(.forbidden, "a token hands on only scopes of its own, and has no \(names)", field: "/scopes")
            }
            let domain = try Domain(job, on: &database)
            if let issuer { try hold(issuer, on: &database) }
            let bearer = Bearer.make(prefix: "tok")
            var token = Parameters()
            token.append(bearer.key)
            token.append(domain.account)
            token.append(domain.tenant)
            token.append(payload.name)
            token.append(Set(payload.scopes.map(\.rawValue)).sorted())
            token.append(bytes: bearer.secretHash)
            // What a token hands on does not outlive it.
            let expiry = payload.expiresAt.map { Timestamp(microsecondsSince1970: $0.microsecondsSince1970) } ?? .distantFuture
            token.append(timestamp: issuer.map { min(expiry, $0.expiresAt) } ?? expiry)
            token.append(issuer?.key)
            _ = try database.query(TokenSQL.issue, token)
            return Reply(["key": .string(bearer.key)], onceOnly: ["secret": .string(bearer.secret)])
        }
    }

    /// Whoever withdraws the issuer waits until what it hands on now is there to be withdrawn with it.
    private static func hold(_ issuer: Principal, on database: inout Transaction) throws {
        var parameters = Parameters()
        parameters.append(issuer.key)
        guard try database.query(TokenSQL.hold, parameters).count == 1 else {
            throw Rejection(.unauthenticated, "credential \(issuer.key) was revoked")
        }
    }
}

enum TokenSQL {
    static let hold: Statement = "select 1 from tenantry.credentials where key = $1 and revoked_at is null for share"
    static let issue: Statement = """
        insert into tenantry.credentials (key, role, account, tenant, name, scopes, secret_hash, expires_at, issued_by)
        values ($1, 'token', $2, $3, $4, $5, $6, $7, $8)
        """
    static let revoke: Statement = """
        update tenantry.credentials set revoked_at = now()
        where role = 'token' and revoked_at is null and account = $1 and ($2::text is null or key = $2) and ($3::text is null or name = $3)
          and ($4::text is null or tenant = $4) and scopes <@ $5
        returning key
        """
    static let revokeHandedOn: Statement = """
        update tenantry.credentials set revoked_at = now() where issued_by = any($1) and revoked_at is null returning key
        """
}
