internal import Contract
internal import Crypto
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
        let claimed = try database.query(
            SQL.claim, job.account, scope(of: job), job.id, job.kind.name, tenant(of: job), digest(of: job))
        guard claimed.isEmpty else { return nil }
        guard let first = try first(of: job, on: &database) else {
            throw Rejection(.conflict, "job \(job.id) is being done by another delivery")
        }
        return first
    }

    /// The first answer's result if the job has succeeded before.
    ///
    /// - Throws: `Rejection` (`conflict`) if its id was used for another job.
    static func first(of job: Job, on database: inout Transaction) throws -> JSONValue? {
        let found = try database.query(SQL.first, job.account, scope(of: job), job.id, tenant(of: job)).decode(First.init).first
        guard let found else { return nil }
        func conflict(_ what: String) -> Rejection { Rejection(.conflict, "job id \(job.id) has been used for \(what)") }
        guard found.kind == job.kind.name else { throw conflict("a \(found.kind) job of this \(owner(of: job))") }
        guard found.tenant == tenant(of: job) else { throw conflict("another tenant of this account") }
        if let digest = found.digest, digest != Self.digest(of: job) { throw conflict("another payload") }
        return try JSONValue(parsing: Array(found.result.utf8))
    }

    /// Keeps the answer, and writes the audit log if the job's kind is audited.
    static func conclude(_ job: Job, with reply: Reply, on database: inout Transaction) throws(PostgresError) -> Outcome {
        if job.kind.isAudited { try AuditLog.append(AuditEntry(job, reply), on: &database) }
        try keep(.object(reply.result), of: job, on: &database)
        return .succeeded(result: .object(reply.result.merging(reply.onceOnly) { _, once in once }), isDuplicate: false)
    }

    private static func keep(_ result: JSONValue, of job: Job, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(SQL.keep, job.account, scope(of: job), job.id, JSONText(result.serialised()))
    }

    /// Within what the job's id is unique: the tenant that its sender is limited to; `""` for the account.
    private static func scope(of job: Job) -> String { job.principal.tenant ?? "" }

    private static func owner(of job: Job) -> String { job.principal.tenant == nil ? "account" : "tenant" }

    /// The tenant of the header, else the one that the sender is limited to; `""` for a job on no tenant.
    private static func tenant(of job: Job) -> String { job.tenant?.slug ?? job.principal.tenant ?? "" }

    private static func digest(of job: Job) -> [UInt8] { digest(of: job.body) }

    /// Without a password: a fast hash of one could be tried out.
    static func digest(of body: UnsafeRawBufferPointer) -> [UInt8] {
        Array(Redaction.remainder(of: body).map { SHA256.hash(data: $0.body) } ?? SHA256.hash(data: body))
    }

    /// A row of ``SQL/first``.
    private struct First {
        let kind: String
        let tenant: String
        let digest: [UInt8]?
        let result: String
    }

    enum SQL {
        /// A row without a digest was written before there were scopes: it counts for whoever is limited to its tenant, too.
        private static let known = """
            from tenantry.inbox where account = $1 and job_id = $3 and (scope = $2 or scope = '' and body_digest is null and tenant = %)
            """
        static let claim = Statement(
            """
            insert into tenantry.inbox (account, scope, job_id, kind, tenant, body_digest, result)
            select $1, $2, $3, $4, $5, $6, 'null' where not exists (select \(known.replacing("%", with: "$5")))
            on conflict do nothing returning 1
            """)
        static let first = Statement("select kind, tenant, body_digest, result \(known.replacing("%", with: "$4"))")
        static let keep: Statement = "update tenantry.inbox set result = $4 where account = $1 and scope = $2 and job_id = $3"
    }
}
