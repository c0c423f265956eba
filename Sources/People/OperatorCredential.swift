internal import Contract
internal import Jobs
public import Postgres

/// A credential of the platform's own people. Its secret is known to its owner alone: the database keeps a hash.
public struct OperatorCredential: Sendable {
    /// What stands before the dot; it may be shown.
    public let key: String
    /// What it is for.
    public let name: String
    public let createdAt: Timestamp
    /// nil while it is valid.
    public let revokedAt: Timestamp?

    /// Makes one.
    ///
    /// - Parameter actor: whom the audit log names.
    /// - Returns: `<key>.<secret>`, this once.
    public static func issue(name: String, by actor: String, on database: inout Connection) throws(PostgresError) -> String {
        try database.transaction { (database: inout Transaction) throws(PostgresError) -> String in
            let bearer = Bearer.make(prefix: "op")
            _ = try database.query(SQL.issue, bearer.key, name, bearer.secretHash)
            let details: [String: JSONValue] = ["payload": ["name": .string(name)], "result": ["key": .string(bearer.key)]]
            try AuditLog.append(
                AuditEntry(command: AuditedDeed.operatorIssue.rawValue, actor: actor, details: details), on: &database)
            return bearer.token
        }
    }

    /// Withdraws one; workers take it for at most 30 seconds more.
    ///
    /// - Parameter actor: whom the audit log names.
    /// - Returns: false where no operator's credential with this key is valid.
    public static func revoke(_ key: String, by actor: String, on database: inout Connection) throws(PostgresError) -> Bool {
        try database.transaction { (database: inout Transaction) throws(PostgresError) -> Bool in
            guard try database.query(SQL.revoke, key).count == 1 else { return false }
            let details: [String: JSONValue] = ["payload": ["key": .string(key)]]
            try AuditLog.append(
                AuditEntry(command: AuditedDeed.operatorRevoke.rawValue, actor: actor, details: details), on: &database)
            return true
        }
    }

    /// All that were ever made, the oldest first.
    public static func list(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [OperatorCredential] {
        try database.query(SQL.list).decode(OperatorCredential.init)
    }

    /// Whether an operator's credential with this key is valid.
    public static func isValid(
        _ key: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> Bool {
        try database.query(SQL.isValid, key).only(Bool.self)
    }

    enum SQL {
        static let issue: Statement =
            "insert into tenantry.credentials (key, role, name, secret_hash) values ($1, 'operator', $2, $3)"
        static let revoke: Statement = """
            update tenantry.credentials set revoked_at = now() where key = $1 and role = 'operator' and revoked_at is null returning key
            """
        static let list: Statement = """
            select key, name, created_at, revoked_at from tenantry.credentials
            where role = 'operator' and session_of is null order by created_at
            """
        static let isValid: Statement = """
            select exists (select from tenantry.credentials where key = $1 and role = 'operator' and session_of is null and revoked_at is null)
            """
    }
}
