internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `admin.create`: a person, and the credential that speaks for them.
    static func adminCreate() -> any JobHandler {
        SingleJobHandler(AdminCreate.self, runsApart: true) { payload, job, database in
            // Hashing is slow on purpose. It comes first, before any lock that others might wait for.
            let password = try payload.password.map { try PasswordHash(of: $0) }
            let domain = try domain(of: payload.role, job, on: &database)
            let email = payload.email.lowercased()
            let maker = try IssuingPerson.hold(job.principal, on: &database)
            let made = try database.query(
                AdminSQL.create, domain.account, domain.tenant, email, payload.displayName, payload.role.rawValue,
                password?.description, maker)
            guard let administrator = made.first(String.self) else {
                throw Rejection(.conflict, "this address administers \(domain) already", field: "/email")
            }
            let bearer = try AdminCredential.issue(administrator: administrator, expiresAt: .distantFuture, on: &database)
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
    /// A credential with the administrator's address as its name, and with the same role, account and tenant.
    ///
    /// - Parameter administrator: the id, a UUID.
    static func issue(
        administrator: String, expiresAt: Timestamp, on database: inout Transaction
    ) throws(PostgresError) -> Bearer {
        let bearer = Bearer.make(prefix: "adm")
        _ = try database.query(AdminSQL.issue, bearer.key, administrator, bearer.secretHash, expiresAt)
        return bearer
    }
}

enum AdminSQL {
    static let create: Statement = """
        insert into tenantry.administrators (account, tenant, email, display_name, role, password_hash, made_by)
        values ($1, $2, lower($3), $4, $5, $6, $7::text::uuid)
        on conflict do nothing returning id
        """
    static let issue: Statement = """
        insert into tenantry.credentials (key, role, account, tenant, name, secret_hash, expires_at, administrator)
        select $1, role, account, tenant, email, $3, $4, id from tenantry.administrators where id = $2::text::uuid
        """
    /// Locks the row, so that a sign-in of the same person waits.
    static let find: Statement = """
        select id, email, role from tenantry.administrators
        where account = $1 and tenant is not distinct from $2 and email = lower($3) for update
        """
    static let revoke: Statement = """
        update tenantry.credentials set revoked_at = now() where administrator = any($1::text[]::uuid[]) and revoked_at is null
        """
    static let remove: Statement = "delete from tenantry.administrators where id = any($1::text[]::uuid[])"
    static let hold: Statement = """
        select a.id from tenantry.credentials c join tenantry.administrators a on a.id = c.administrator
        where c.key = $1 and c.revoked_at is null for key share of a
        """
    /// Who made `$1`, and who made these, as far as they are still there.
    static let makers: Statement = """
        with recursive makers as (
            select made_by as id from tenantry.administrators where id = $1::text::uuid and made_by is not null
            union
            select a.made_by from tenantry.administrators a join makers m on a.id = m.id where a.made_by is not null
        )
        select id::text from makers
        """
    /// Keeps whoever made `$1` in place, so that a removal of that person finds what is handed up.
    static let holdMaker: Statement = """
        select 1 from tenantry.administrators where id = (select made_by from tenantry.administrators where id = $1::text::uuid)
        for key share
        """
    /// What `$1` made goes to whoever made `$1`.
    static let handUpPeople: Statement = """
        update tenantry.administrators set made_by = (select made_by from tenantry.administrators where id = $1::text::uuid)
        where made_by = $1::text::uuid
        """
    static let handUpTokens: Statement = """
        update tenantry.credentials set made_by = (select made_by from tenantry.administrators where id = $1::text::uuid)
        where made_by = $1::text::uuid
        """
    /// Those whom `$1` made, locked, but for `$2`.
    static let made: Statement = """
        select id::text, email, role, tenant from tenantry.administrators
        where made_by = any($1::text[]::uuid[]) and id <> all($2::text[]::uuid[]) order by id for update
        """
}
