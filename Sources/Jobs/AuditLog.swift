public import Contract
public import Postgres

/// The record of administrative jobs: who did what, when, and by which job.
public enum AuditLog {
    /// Writes an entry, in the caller's transaction.
    public static func append(_ entry: AuditEntry, on database: inout Transaction) throws(PostgresError) {
        _ = try database.query(
            SQL.append, entry.account, entry.tenant, entry.credential, entry.role, entry.actor, entry.kind, entry.jobID,
            JSONText(JSONValue.object(entry.details).serialised()))
    }

    enum SQL {
        static let append: Statement = """
            insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            """
    }
}

/// What the audit log is to remember of a job.
public struct AuditEntry: Sendable {
    /// The account concerned; `""` where there is none.
    public var account: String
    public var tenant: String?
    /// The credential's key.
    public var credential: String
    public var role: String
    /// The credential's name, or the administrator's address.
    public var actor: String
    public var kind: String
    public var jobID: String
    public var details: [String: JSONValue]

    public init(
        account: String, tenant: String?, credential: String, role: String, actor: String, kind: String, jobID: String,
        details: [String: JSONValue]
    ) {
        self.account = account
        self.tenant = tenant
        self.credential = credential
        self.role = role
        self.actor = actor
        self.kind = kind
        self.jobID = jobID
        self.details = details
    }
}

extension AuditEntry {
    /// Of a payload that is longer than this, only the names of its fields are kept.
    private static let mostBytes = 8_192

    /// The entry of a job that succeeded: the fields of its payload that the kind knows, without secrets, and its result.
    init(_ job: Job, _ reply: Reply) {
        let principal = job.principal
        var account = job.account
        if account.isEmpty, case .string(let named)? = reply.result["account"] { account = named }
        var tenant = job.tenant?.slug ?? principal.tenant
        if tenant == nil, case .string(let made)? = reply.result["tenant"] { tenant = made }
        self.init(
            account: account, tenant: tenant, credential: principal.key, role: principal.role.rawValue, actor: principal.name,
            kind: job.kind.name, jobID: job.id,
            details: [
                "payload": job.kind.auditedPayload(of: job.body, mostBytes: Self.mostBytes), "result": Self.result(reply),
            ])
    }

    private static func result(_ reply: Reply) -> JSONValue {
        let result = JSONValue.object(reply.result)
        guard result.serialised().count > mostBytes else { return result }
        // Of long lists, such as those of a thousand documents, how long they are.
        let counts = reply.result.compactMapValues { value -> JSONValue? in
            if case .array(let items) = value { .int(Int64(items.count)) } else { nil }
        }
        return .object(["counts": .object(counts)])
    }
}

/// What is on record and no kind of job.
public enum AuditedDeed: String, CaseIterable, Sendable {
    case operatorIssue = "operator.issue"
    case operatorRevoke = "operator.revoke"
    case impersonate = "operator.impersonate"
    case signIn = "admin.sign_in"
    case signOut = "admin.sign_out"
    case tenantExport = "tenant.export"
    case corpusSearch = "corpus.search"
    case corpusRead = "corpus.read"
    case conversationRead = "conversation.read"
    case deadReplay = "dead.replay"
    case deadDiscard = "dead.discard"
    case accountSuspend = "account.suspend"
    case accountResume = "account.resume"
    case grantStripe = "account.grant_stripe"
    case withdrawStripe = "account.withdraw_stripe"
}

extension AuditEntry {
    /// The entry of what a command did straight in the database, for the user of a machine.
    public init(
        command kind: String, account: String = "", tenant: String? = nil, actor: String, jobID: String = "",
        details: [String: JSONValue]
    ) {
        self.init(
            account: account, tenant: tenant, credential: "command", role: "operator", actor: actor, kind: kind, jobID: jobID,
            details: details)
    }
}

/// What was refused, counted by the minute.
public struct Refusal: Sendable {
    /// A kind's name, or `admin.sign_in`; `""` for a kind that there is none.
    public var kind: String
    public var code: ErrorCode
    /// The credential's key, of a sign-in the address; `""` where the credential does not hold.
    public var key: String
    public var account: String

    public init(kind: String, code: ErrorCode, key: String, account: String) {
        self.kind = kind
        self.code = code
        self.key = key
        self.account = account
    }

    /// Counts refusals, in a statement.
    public static func count(
        _ refusals: [Refusal], on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        guard !refusals.isEmpty else { return }
        _ = try database.query(
            SQL.count, refusals.map(\.kind), refusals.map(\.code.rawValue), refusals.map(\.key), refusals.map(\.account))
    }

    enum SQL {
        /// In the order of the key, so that lanes do not wait for each other in a ring.
        static let count: Statement = """
            insert into tenantry.refused_jobs as r (minute, kind, code, key, account, jobs)
            select date_trunc('minute', clock_timestamp()), kind, code, key, max(account), count(*)
            from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as a (kind, code, key, account)
            group by kind, code, key order by kind, code, key
            on conflict (minute, kind, code, key) do update set jobs = r.jobs + excluded.jobs
            """
    }
}
