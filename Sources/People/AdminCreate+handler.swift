internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `admin.create`: a person, and the credential that speaks for them.
    static func adminCreate() -> any JobHandler {
        SingleJobHandler(AdminCreate.self) { payload, job, database in
            // Slow on purpose, so it comes before anything that others might wait for.
            let password = try payload.password.map { try PasswordHash(of: $0) }
            let domain = try domain(of: payload.role, job, on: &database)
            let email = payload.email.lowercased()
            var person = Parameters()
            person.append(domain.account)
            person.append(domain.tenant)
            person.append(email)
            person.append(payload.displayName)
            person.append(payload.role.rawValue)
            person.append(password?.description)
            let made = try database.query(AdminSQL.create, person)
            guard made.count == 1 else {
                let place = domain.tenant.map { "tenant \($0)" } ?? "account \(domain.account)"
                throw Rejection(.conflict, "this address administers \(place) already", field: "/email")
            }
            let bearer = try AdminCredential.issue(administrator: made.text(0, 0), expiresAt: .distantFuture, on: &database)
            return Reply(
                ["email": .string(email), "role": .string(payload.role.rawValue), "key": .string(bearer.key)],
                onceOnly: ["secret": .string(bearer.secret)])
        }
    }

    private static func domain(of role: AdminCreate.Role, _ job: Job, on database: inout Transaction) throws -> Domain {
        switch role {
        case .accountAdmin:
            guard job.principal.role != .tenantAdmin else {
                throw Rejection(.forbidden, "a tenant's administrator makes administrators of that tenant alone", field: "/role")
            }
            guard job.tenant == nil else {
                throw Rejection.invalid("/role", "is for a whole account, and the header tenant names one tenant")
            }
        case .tenantAdmin:
            guard job.tenant != nil || job.principal.tenant != nil else {
                throw Rejection.invalid("/role", "needs the header tenant: it is for one tenant")
            }
        }
        return try Domain(job, on: &database)
    }
}

/// The credentials of people.
enum AdminCredential {
    /// Speaks for the administrator, under their address and within their domain.
    static func issue(administrator: String, expiresAt: Timestamp, on database: inout Transaction) throws(PostgresError) -> Bearer
    {
        let bearer = Bearer.make(prefix: "adm")
        var credential = Parameters()
        credential.append(bearer.key)
        credential.append(administrator)
        credential.append(bytes: bearer.secretHash)
        credential.append(timestamp: expiresAt)
        _ = try database.query(AdminSQL.issue, credential)
        return bearer
    }
}

enum AdminSQL {
    static let create: Statement = """
        insert into tenantry.administrators (account, tenant, email, display_name, role, password_hash) values ($1, $2, lower($3), $4, $5, $6)
        on conflict do nothing returning id
        """
    static let issue: Statement = """
        insert into tenantry.credentials (key, role, account, tenant, name, secret_hash, expires_at, administrator)
        select $1, role, account, tenant, email, $3, $4, id from tenantry.administrators where id = $2::text::uuid
        """
    /// Held against a sign-in that is on its way.
    static let find: Statement = """
        select id, email, role from tenantry.administrators
        where account = $1 and tenant is not distinct from $2 and email = lower($3) for update
        """
    static let revoke: Statement = """
        update tenantry.credentials set revoked_at = now() where administrator = $1::text::uuid and revoked_at is null
        """
    static let remove: Statement = "delete from tenantry.administrators where id = $1::text::uuid"
}
