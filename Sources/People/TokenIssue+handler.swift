internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `token.issue`: a credential with scopes. A token can issue further tokens with scopes that it has itself; they are withdrawn with it.
    static func tokenIssue() -> any JobHandler {
        SingleJobHandler(TokenIssue.self) { payload, job, database in
            if let expiry = payload.expiresAt, expiry.microsecondsSince1970 <= SystemClock.nowMicroseconds() {
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
            let maker = try IssuingPerson.hold(job.principal, on: &database)
            let bearer = Bearer.make(prefix: "tok")
            // A token that another token issued does not outlive it.
            let wanted = payload.expiresAt.map { Timestamp($0) } ?? .distantFuture
            let expiry = issuer.map { min(wanted, $0.expiresAt) } ?? wanted
            _ = try database.query(
                TokenSQL.issue, bearer.key, domain.account, domain.tenant, payload.name,
                Set(payload.scopes.map(\.rawValue)).sorted(), bearer.secretHash, expiry, issuer?.key, maker)
            return Reply(["key": .string(bearer.key)], onceOnly: ["secret": .string(bearer.secret)])
        }
    }

    /// Locks the issuing token's row until the commit, so that a withdrawal waits and finds the new token, too.
    private static func hold(_ issuer: Principal, on database: inout Transaction) throws {
        guard try database.query(TokenSQL.hold, issuer.key).count == 1 else {
            throw Rejection(.unauthenticated, "credential \(issuer.key) was revoked")
        }
    }
}

enum TokenSQL {
    static let hold: Statement = "select 1 from tenantry.credentials where key = $1 and revoked_at is null for share"
    static let issue: Statement = """
        insert into tenantry.credentials (key, role, account, tenant, name, scopes, secret_hash, expires_at, issued_by, made_by)
        values ($1, 'token', $2, $3, $4, $5, $6, $7, $8, $9::text::uuid)
        """
    static let revoke: Statement = """
        update tenantry.credentials set revoked_at = now()
        where role = 'token' and revoked_at is null and account = $1 and ($2::text is null or key = $2) and ($3::text is null or name = $3)
          and ($4::text is null or tenant = $4) and scopes <@ $5
        returning key
        """
    /// Those that people issued.
    static let revokeMade: Statement = """
        update tenantry.credentials set revoked_at = now()
        where role = 'token' and made_by = any($1::text[]::uuid[]) and revoked_at is null returning key
        """
    static let revokeHandedOn: Statement = """
        update tenantry.credentials set revoked_at = now() where issued_by = any($1) and revoked_at is null returning key
        """
}
