public import Contract
public import Postgres

/// An administrative job that succeeded, as ``AuditLog`` keeps it.
public struct AuditRecord: Sendable {
    public let at: Timestamp
    /// nil where no account is concerned.
    public let account: String?
    public let tenant: String?
    /// The job's kind.
    public let kind: String
    /// The credential's name, or the administrator's address, as it was then.
    public let actor: String
    /// The role in which the credential was used: a ``Principal/Role``.
    public let role: String
    /// The credential's key.
    public let credential: String
    public let jobID: String
    /// An object with `payload`, without secrets, and `result`.
    public let details: JSONValue
    /// Ascending in the order in which entries were begun.
    public let id: Int64

    enum SQL {
        static let columns = "at, nullif(account, ''), tenant, kind, actor, role, credential, job_id, details, id"
    }
}

/// What was refused in a minute, as ``Refusal`` counts it.
public struct RefusalRecord: Sendable {
    public let minute: Timestamp
    /// nil for a kind that there is none.
    public let kind: String?
    public let code: String
    /// The credential's key, of a sign-in the address; nil where the credential does not hold.
    public let key: String?
    public let account: String?
    public let jobs: Int64

    /// Latest first. A filter that is nil lets everything pass.
    public static func list(
        account: String? = nil, kind: String? = nil, code: String? = nil, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [RefusalRecord] {
        try database.query(SQL.list, account, kind, code, limit).decode(RefusalRecord.init)
    }

    enum SQL {
        static let list: Statement = """
            select minute, nullif(kind, ''), code, nullif(key, ''), nullif(account, ''), jobs from tenantry.refused_jobs
            where ($1::text is null or account = $1) and ($2::text is null or kind = $2) and ($3::text is null or code = $3)
            order by minute desc, kind, code, key limit $4
            """
    }
}
