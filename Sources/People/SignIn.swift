internal import Contract
internal import Jobs
public import Postgres

/// A person's way from a password to a credential.
public enum SignIn {
    /// How long a credential from here is good for.
    public static let lifetimeSeconds: Int64 = 12 * 3_600

    /// An address that administers more than these has to name the account or the tenant.
    private static let mostCandidates = 16

    /// Why nobody was signed in.
    public enum Refusal: Error {
        /// The address is not known, has no password, or has another one. The caller is not told which.
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
        let candidates = try database.query(SQL.candidates, email.lowercased(), account, tenant)
            .decode(Candidate.init).filter { $0.password != nil }
        // Each is a hash to be worked out.
        guard candidates.count <= mostCandidates else { throw Refusal.ambiguous }
        // The answer takes as long for an unknown address as for a known one.
        if candidates.isEmpty { try PasswordHash.pretendToCheck(password) }
        let right = try candidates.filter { try $0.password?.matches(password) == true }
        guard let administrator = right.first else {
            // What is nobody's address may be anything that was typed, a password too.
            try count(candidates.isEmpty ? "" : email, account: account, on: &database)
            throw Refusal.wrong
        }
        // Whoever names an account, and no tenant of it, means the account; its own administrator comes first.
        guard right.count == 1 || account != nil && tenant == nil && administrator.isOfAccount else { throw Refusal.ambiguous }
        return try database.transaction { database in
            let end = Timestamp(microsecondsSince1970: SystemClock.nowMicroseconds() + lifetimeSeconds * 1_000_000)
            // The administrator may have been removed meanwhile, or given another password.
            let held = try database.query(SQL.hold, administrator.id, administrator.password?.description)
            guard held.count == 1 else { throw Refusal.wrong }
            _ = try database.query(SQL.forgetExpired, administrator.id)
            let bearer = try AdminCredential.issue(administrator: administrator.id, expiresAt: end, on: &database)
            try AuditLog.append(
                AuditEntry(
                    account: administrator.account, tenant: administrator.tenant, credential: bearer.key,
                    role: administrator.role, actor: email.lowercased(), kind: AuditedDeed.signIn.rawValue, jobID: "",
                    details: ["result": ["key": .string(bearer.key)]]),
                on: &database)
            return bearer.token
        }
    }

    /// Counts a wrong password under its address, and unknown addresses together.
    private static func count(_ email: String, account: String?, on database: inout Connection) throws(PostgresError) {
        let address = String(
            email.lowercased().unicodeScalars.filter { PrintableText.isPrintable($0) }.prefix(254).map(Character.init))
        try Jobs.Refusal.count(
            [.init(kind: AuditedDeed.signIn.rawValue, code: .unauthenticated, key: address, account: account ?? "")],
            on: &database)
    }

    /// An administrator with the address that was given.
    private struct Candidate {
        let id: String
        /// nil: there is none, or it is no text of ours.
        let password: PasswordHash?
        let account: String
        let tenant: String?
        let role: String
        var isOfAccount: Bool { tenant == nil }

        init(id: String, password: String?, account: String, tenant: String?, role: String) {
            self.id = id
            self.password = password.flatMap { PasswordHash($0) }
            self.account = account
            self.tenant = tenant
            self.role = role
        }
    }

    enum SQL {
        static let candidates: Statement = """
            select id, password_hash, account, tenant, role from tenantry.administrators
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
