public import Contract
public import Postgres

/// Who did what, when, and by which job.
public enum AuditLog {
    public struct Entry: Sendable {
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

    /// Writes it in the caller's transaction.
    public static func append(_ entry: Entry, on database: inout Transaction) throws(PostgresError) {
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

extension AuditLog.Entry {
    /// A payload that is longer than this is kept by the names of its fields alone.
    private static let mostBytes = 8_192
    /// Not for keeping: secrets, what is data rather than a decision, and whose conversations were to be forgotten.
    private static let omitted: Set<String> = ["password", "documents", "user_id"]

    /// What a job that succeeded is remembered by: what its kind knows of the payload, without secrets, and its result.
    init(_ job: Job, _ reply: Reply) {
        let principal = job.principal
        var account = job.account
        if account.isEmpty, case .string(let named)? = reply.result["account"] { account = named }
        var tenant = job.tenant?.slug ?? principal.tenant
        if tenant == nil, case .string(let made)? = reply.result["tenant"] { tenant = made }
        self.init(
            account: account, tenant: tenant, credential: principal.key, role: principal.role.rawValue, actor: principal.name,
            kind: job.kind.name, jobID: job.id, details: ["payload": Self.payload(of: job), "result": Self.result(reply)])
    }

    private static func payload(of job: Job) -> JSONValue {
        // The handler has read it before: it is an object.
        guard let payload = try? JSONValue(parsing: Array(job.body)), let schema = schema(of: job.kind) else { return .null }
        let kept = known(payload, schema)
        if kept.serialised().count <= mostBytes { return kept }
        guard case .object(let fields) = payload else { return .null }
        return .object(["fields": .array(fields.keys.filter { schema["properties"]?[$0] != nil }.sorted().map { .string($0) })])
    }

    /// The schema of a kind's payload, with what that of `tenant.create_many` leaves open.
    private static func schema(of kind: Kind) -> JSONValue? {
        guard kind == .tenantCreateMany else { return Kind.payloads.first { $0.kind == kind }?.schema }
        return ["properties": ["defaults": TenantCreate.schema, "tenants": ["items": TenantCreate.schema]]]
    }

    /// What the schema names, and of objects whose fields it leaves open (settings) the fields' names: what platforms put in there,
    /// or into fields that nobody knows, may be keys and passwords.
    private static func known(_ value: JSONValue, _ schema: JSONValue) -> JSONValue {
        switch value {
        case .object(let fields):
            guard case .object(let properties)? = schema["properties"] else {
                return .array(fields.keys.sorted().map { .string($0) })
            }
            let kept = fields.compactMap { name, value in
                properties[name].flatMap { omitted.contains(name) ? nil : (name, known(value, $0)) }
            }
            return .object(Dictionary(uniqueKeysWithValues: kept))
        case .array(let items):
            return schema["items"].map { item in .array(items.map { known($0, item) }) } ?? .null
        default:
            return isObject(schema) ? .null : value
        }
    }

    private static func isObject(_ schema: JSONValue) -> Bool {
        if case .array(let types)? = schema["type"] { return types.contains("object") }
        return schema["type"] == "object"
    }

    private static func result(_ reply: Reply) -> JSONValue {
        let result = JSONValue.object(reply.result)
        return result.serialised().count <= mostBytes ? result : .null
    }
}
