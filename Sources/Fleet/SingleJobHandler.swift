public import Contract
public import Postgres

/// What a job's sender is told when it succeeded.
public struct Reply: Sendable {
    /// Kept, and given again to whoever repeats the job.
    public var result: [String: JSONValue]
    /// Given once and kept nowhere: secrets.
    public var onceOnly: [String: JSONValue]

    public init(_ result: [String: JSONValue], onceOnly: [String: JSONValue] = [:]) {
        self.result = result
        self.onceOnly = onceOnly
    }
}

/// Thrown where what a job needs may still be on its way: the ladder's first steps, then rejected as this.
public struct NotYet: Error {
    public let rejection: Rejection

    public init(_ rejection: Rejection) {
        self.rejection = rejection
    }
}

/// The convenience for kinds that come one at a time: decodes the payload, keeps the inbox and the audit log, and lets `perform` do one job's
/// effect.
public final class SingleJobHandler<Payload: JobPayload>: JobHandler {
    public typealias Perform = (Payload, Job, inout Postgres.Connection) throws -> Reply

    public let kind: Kind
    public let batchLimit = 1
    private let perform: Perform

    /// - Parameter perform: the effect, in the open transaction; a `Rejection` or ``NotYet`` it throws rolls everything back.
    public init(_ payload: Payload.Type, _ perform: @escaping Perform) {
        kind = payload.kind
        self.perform = perform
    }

    public func handle(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws -> [Outcome] {
        try jobs.map { job in
            try Inbox.checkRefusal(of: job, on: &database)
            let payload = try PayloadDecoder.decode(Payload.self, from: job.body)
            if let first = try Inbox.claim(job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            return try Inbox.conclude(job, with: try perform(payload, job, &database), on: &database)
        }
    }
}

/// For kinds whose effect is too large for one transaction. `perform` ends each part with `Connection.nextPart()`; what it did by then stays,
/// so it has to find its own parts done when the job comes again. The answer goes into the inbox with the last part.
public final class PartwiseJobHandler<Payload: JobPayload>: JobHandler {
    public let kind: Kind
    public let batchLimit = 1
    private let perform: SingleJobHandler<Payload>.Perform

    /// - Parameter perform: the effect, part by part; a `Rejection` it throws rolls the part back and rejects the job.
    public init(_ payload: Payload.Type, _ perform: @escaping SingleJobHandler<Payload>.Perform) {
        kind = payload.kind
        self.perform = perform
    }

    public func handle(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws -> [Outcome] {
        try jobs.map { job in
            try Inbox.checkRefusal(of: job, on: &database)
            let payload = try PayloadDecoder.decode(Payload.self, from: job.body)
            if let first = try Inbox.first(of: job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            let reply = try perform(payload, job, &database)
            // Another delivery of the same job may have come through meanwhile.
            if let first = try Inbox.claim(job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            return try Inbox.conclude(job, with: reply, on: &database)
        }
    }
}

extension Postgres.Connection {
    /// Commits what was done so far and goes on in a transaction of its own.
    public mutating func nextPart() throws(PostgresError) {
        try commit()
        try begin()
    }
}

/// The first answers of succeeded jobs, in the transactions of their effects.
enum Inbox {
    /// Throws what its tenant's state says against the job, unless it succeeded before.
    static func checkRefusal(of job: Job, on database: inout Postgres.Connection) throws {
        guard let refusal = job.refusal, try first(of: job, on: &database) == nil else { return }
        throw refusal
    }

    /// Takes the job's place in the inbox; a second delivery of the same job waits here until the first is committed or gone.
    ///
    /// - Returns: the first answer's result if the job has succeeded before.
    static func claim(_ job: Job, on database: inout Postgres.Connection) throws -> JSONValue? {
        var parameters = key(job)
        parameters.append(job.kind.name)
        parameters.append(tenant(of: job))
        guard try database.query(SQL.claim, parameters).count == 0 else { return nil }
        guard let first = try first(of: job, on: &database) else {
            throw Rejection(.conflict, "job \(job.id) is being done by another delivery")
        }
        return first
    }

    /// The first answer's result if the job has succeeded before.
    static func first(of job: Job, on database: inout Postgres.Connection) throws -> JSONValue? {
        let rows = try database.query(SQL.first, key(job))
        guard rows.count == 1 else { return nil }
        guard rows.text(0, 0) == job.kind.name else {
            throw Rejection(.conflict, "job id \(job.id) has been used for a \(rows.text(0, 0)) job of this account")
        }
        guard rows.text(0, 2) == tenant(of: job) else {
            throw Rejection(.conflict, "job id \(job.id) has been used for another tenant of this account")
        }
        return try JSONValue(parsing: Array(rows.text(0, 1).utf8))
    }

    /// Keeps the answer, and for an administrative job who did what.
    static func conclude(_ job: Job, with reply: Reply, on database: inout Postgres.Connection) throws(PostgresError) -> Outcome {
        if job.kind.isAudited { try AuditLog.append(AuditLog.Entry(job, reply), on: &database) }
        try keep(.object(reply.result), of: job, on: &database)
        return .succeeded(result: .object(reply.result.merging(reply.onceOnly) { _, once in once }), isDuplicate: false)
    }

    private static func keep(_ result: JSONValue, of job: Job, on database: inout Postgres.Connection) throws(PostgresError) {
        var parameters = key(job)
        parameters.append(jsonb: String(decoding: result.serialised(), as: UTF8.self))
        _ = try database.query(SQL.keep, parameters)
    }

    /// The tenant of the header; without one, what the sender is limited to: two tenants' own people may come up with the same id, and neither
    /// gets the other's answer. `""` for a job on no tenant.
    private static func tenant(of job: Job) -> String { job.tenant?.slug ?? job.principal.tenant ?? "" }

    private static func key(_ job: Job) -> Parameters {
        var parameters = Parameters()
        parameters.append(job.account)
        parameters.append(job.id)
        return parameters
    }

    enum SQL {
        static let claim: Statement = """
            insert into tenantry.inbox (account, job_id, kind, tenant, result) values ($1, $2, $3, $4, 'null') on conflict do nothing returning 1
            """
        static let first: Statement = "select kind, result, tenant from tenantry.inbox where account = $1 and job_id = $2"
        static let keep: Statement = "update tenantry.inbox set result = $3 where account = $1 and job_id = $2"
    }
}
