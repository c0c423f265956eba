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
        /// There were too many wrong passwords for the e-mail address, or from the network address: none is looked at for so long.
        case throttled(seconds: Int64)
    }

    /// What a sign-in makes.
    public struct Session: Sendable {
        public let key: String
        /// Shown this once.
        public let secret: String
        public let expiresAt: Timestamp

        /// `<key>.<secret>`
        public var token: String { "\(key).\(secret)" }
    }

    /// Checks the password and issues a credential of that administrator.
    ///
    /// - Parameters:
    ///   - account: only an administrator of this account or of one of its tenants, the account's own first; nil: of any.
    ///   - tenant: only an administrator of this tenant; nil: of any, or of an account.
    ///   - address: the network address that it is asked from, for which wrong passwords are counted; nil: none is, and all are let in.
    /// - Throws: ``Refusal``; `PostgresError`.
    public static func run(
        email: String, password: String, account: String?, tenant: String?, from address: String? = nil,
        on database: inout Connection
    ) throws -> Session {
        let attempt = try address.map { try SignInThrottle.admit(email: email, address: $0, on: &database) }
        do {
            let session = try check(email: email, password: password, account: account, tenant: tenant, on: &database)
            try attempt?.forget(on: &database)
            return session
        } catch Refusal.ambiguous {
            // The password was right.
            try attempt?.forget(on: &database)
            throw Refusal.ambiguous
        }
    }

    /// Ends a session.
    ///
    /// - Parameters:
    ///   - key: the session's credential.
    ///   - sender: the key of who asks: the same person, or an account's credential or administrator.
    /// - Returns: false where there is no such session, or it is not the sender's to end.
    public static func end(
        _ key: String, by sender: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> Bool {
        try database.query(SQL.end, key, sender).only(Bool.self)
    }

    private static func check(
        email: String, password: String, account: String?, tenant: String?, on database: inout Connection
    ) throws -> Session {
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
        let end = Timestamp(microsecondsSince1970: SystemClock.nowMicroseconds() + lifetimeSeconds * 1_000_000)
        let bearer = Bearer.make(prefix: "adm")
        // The administrator may have been removed meanwhile, or given another password.
        let isMade = try database.query(
            SQL.signIn, administrator.id, administrator.password?.description, bearer.key, bearer.secretHash, end
        ).only(Bool.self)
        guard isMade else { throw Refusal.wrong }
        return Session(key: bearer.key, secret: bearer.secret, expiresAt: end)
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
        static let signIn: Statement = "select tenantry.sign_in($1::text::uuid, $2, $3, $4, $5)"
        static let end: Statement = "select tenantry.end_session($1, $2)"
    }
}
