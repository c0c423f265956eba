internal import Contract
internal import Jobs
public import Postgres

/// Withdraws tokens: by the job `token.revoke`, or straight in the database when that must not wait for the broker.
public enum TokenRevocation {
    /// Withdraws one token, whosever it is, and all that were issued by it. It stops working with the next batch of each lane.
    ///
    /// - Parameter actor: whom the audit log names.
    /// - Returns: the keys that were withdrawn; empty where no valid token has this key.
    public static func run(key: String, by actor: String, on database: inout Connection) throws(PostgresError) -> [String] {
        try database.transaction { (database: inout Transaction) throws(PostgresError) -> [String] in
            let found = try database.query(SQL.revoke, key).first((String, String, String?).self)
            guard let (token, account, tenant) = found else { return [] }
            let withdrawn = [token] + (try handedOn(by: [token], on: &database))
            try AuditLog.append(
                .init(
                    command: Kind.tokenRevoke.name, account: account, tenant: tenant, actor: actor,
                    details: ["result": ["revoked": .array(withdrawn.map { .string($0) })]]),
                on: &database)
            return withdrawn
        }
    }

    /// Withdraws what was issued by these tokens, and by what they issued.
    static func handedOn(by tokens: [String], on database: inout Transaction) throws(PostgresError) -> [String] {
        // One statement for each generation: it also sees tokens that were committed while the statement before it waited for a lock.
        var withdrawn: [String] = []
        var latest = tokens
        while !latest.isEmpty {
            latest = try database.query(TokenSQL.revokeHandedOn, latest).decode { (key: String) in key }
            withdrawn += latest
        }
        return withdrawn
    }

    enum SQL {
        static let revoke: Statement = """
            update tenantry.credentials set revoked_at = now() where key = $1 and role = 'token' and revoked_at is null
            returning key, account, tenant
            """
    }
}
