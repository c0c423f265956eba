internal import Contract
internal import Postgres

/// The answers of jobs that succeeded, written in the same transactions as their effects. A job that comes again gets its first answer.
enum Inbox {
    /// Throws the job's refusal, if its tenant's state forbids it, unless the job has succeeded before.
    static func checkRefusal(of job: Job, on database: inout Transaction) throws {
        guard let refusal = job.refusal, try first(of: job, on: &database) == nil else { return }
        throw refusal
    }

    /// Inserts the job's row. A second delivery of the same job waits here until the first one's transaction has ended.
    ///
    /// - Returns: the first answer's result if the job has succeeded before.
    static func claim(_ job: Job, on database: inout Transaction) throws -> JSONValue? {
        guard try database.query(SQL.claim, job.account, job.id, job.kind.name, tenant(of: job)).isEmpty else { return nil }
        guard let first = try first(of: job, on: &database) else {
            throw Rejection(.conflict, "job \(job.id) is being done by another delivery")
        }
        return first
    }

    /// The first answer's result if the job has succeeded before.
    static func first(of job: Job, on database: inout Transaction) throws -> JSONValue? {
        let found = try database.query(SQL.first, job.account, job.id).first((String, String, String).self)
        guard let (kind, tenant, result) = found else { return nil }
        guard kind == job.kind.name else {
            throw Rejection(.conflict, "job id \(job.id) has been used for a \(kind) job of this account")
        }
        guard tenant == self.tenant(of: job) else {
            throw Rejection(.conflict, "job id \(job.id) has been used for another tenant of this account")
        }
        return try JSONValue(parsing: Array(result.utf8))
    }

    /// Keeps the answer, and writes the audit log if the job's kind is audited.
    static func conclude(_ job: Job, with reply: Reply, on database: inout Transaction) throws(PostgresError) -> Outcome {
        if job.kind.isAudited { try AuditLog.append(AuditEntry(job, reply), on: &database) }
        try keep(.object(reply.result), of: job, on: &database)
        return .succeeded(result: .object(reply.result.merging(reply.onceOnly) { _, once in once }), isDuplicate: false)
    }

    private static func keep(_ result: JSONValue, of job: Job, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.keep, job.account, job.id, JSONText(result.serialised()))
    }

    /// The tenant of the header, else the one that the sender is limited to: people of two tenants may use the same job id, and must not get
    /// each other's answers. `""` for a job on no tenant.
    private static func tenant(of job: Job) -> String { job.tenant?.slug ?? job.principal.tenant ?? "" }

    enum SQL {
        static let claim: Statement = """
            insert into tenantry.inbox (account, job_id, kind, tenant, result) values ($1, $2, $3, $4, 'null') on conflict do nothing returning 1
            """
        static let first: Statement = "select kind, tenant, result from tenantry.inbox where account = $1 and job_id = $2"
        static let keep: Statement = "update tenantry.inbox set result = $3 where account = $1 and job_id = $2"
    }
}
