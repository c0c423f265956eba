internal import Jobs
public import Postgres

/// A person's way from a password to a credential.
public enum SignIn {
    /// How long a credential from here is good for.
    public static let lifetimeSeconds: Int64 = 12 * 3_600

    /// Why nobody was signed in.
    public enum Refusal: Error {
        /// The address is not known, has no password, or has another one: which of these, nobody is told.
        case wrong
        /// The same address and password stand for several administrators: the account or the tenant must be named.
        case ambiguous
    }

    /// Checks the password and issues a credential of that administrator.
    ///
    /// - Parameters:
    ///   - account: only an administrator of this account or of one of its tenants, the account's own first; nil: of any.
    ///   - tenant: only an administrator of this tenant; nil: of any, or of an account.
    /// - Returns: `<key>.<secret>`
    /// - Throws: ``Refusal``; `PostgresError`.
    public static func run(
        email: String, password: String, account: String?, tenant: String?, on database: inout Connection
    ) throws -> String {
        var address = Parameters()
        address.append(email.lowercased())
        address.append(account)
        address.append(tenant)
        let rows = try database.query(SQL.candidates, address)
        let kept = (0..<rows.count).compactMap { row in
            rows.optionalText(row, 1).flatMap { PasswordHash($0) }.map {
                (id: rows.text(row, 0), password: $0, isOfAccount: rows.isNull(row, 2))
            }
        }
        if kept.isEmpty { try PasswordHash.pretendToCheck(password) }
        let right = try kept.filter { try $0.password.matches(password) }
        guard let administrator = right.first else { throw Refusal.wrong }
        // Whoever names an account, and no tenant of it, means the account; its own administrator comes first.
        guard right.count == 1 || account != nil && tenant == nil && administrator.isOfAccount else { throw Refusal.ambiguous }
        return try database.transaction { database in
            let now = Timestamp.now().microsecondsSince1970
            let end = Timestamp(microsecondsSince1970: now + lifetimeSeconds * 1_000_000)
            var person = Parameters()
            person.append(administrator.id)
            person.append(administrator.password.description)
            // Removed meanwhile, or given another password.
            guard try database.query(SQL.hold, person).count == 1 else { throw Refusal.wrong }
            var expired = Parameters()
            expired.append(administrator.id)
            _ = try database.query(SQL.forgetExpired, expired)
            return try AdminCredential.issue(administrator: administrator.id, expiresAt: end, on: &database).token
        }
    }

    enum SQL {
        static let candidates: Statement = """
            select id, password_hash, tenant from tenantry.administrators
            where email = lower($1) and ($2::text is null or account = $2) and ($3::text is null or tenant = $3)
            order by account, tenant nulls first
            """
        static let hold: Statement = """
            select 1 from tenantry.administrators where id = $1::text::uuid and password_hash = $2 for key share
            """
        static let forgetExpired: Statement =
            "delete from tenantry.credentials where administrator = $1::text::uuid and expires_at < now()"
    }
}
