public import Postgres

/// A dead letter as its row tells of it: for lists and counts, which leave the queue alone.
public struct DeadLetterRecord: Sendable {
    /// The letter's id, a UUID.
    public let id: String
    public let jobID: String
    public let kind: String
    /// nil where the credential did not hold, or was an operator's.
    public let account: String?
    public let tenant: String?
    /// The credential's key; nil for none.
    public let key: String?
    public let code: String
    public let message: String
    /// A JSON Pointer.
    public let field: String?
    public let attempts: Int64
    public let failedAt: Timestamp
    /// Bytes of the job's body, as it was sent.
    public let bodyBytes: Int64
    /// Whether it can be replayed without a credential.
    public let isSealed: Bool
    /// JSON Pointers to what was taken out of the body, separated by spaces.
    public let redacted: String

    /// Which letters. What is nil or empty lets everything pass.
    public struct Filter: Sendable {
        public var jobIDs: [String]
        public var kind: String?
        public var code: String?
        public var tenant: String?

        public init(jobIDs: [String] = [], kind: String? = nil, code: String? = nil, tenant: String? = nil) {
            self.jobIDs = jobIDs
            self.kind = kind
            self.code = code
            self.tenant = tenant
        }
    }

    /// By what letters are counted.
    public enum Group: String, Sendable, CaseIterable {
        case code, kind, account, tenant, key
    }

    /// Oldest first.
    public static func list(
        _ filter: Filter, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [DeadLetterRecord] {
        try database.query(SQL.list, filter.jobIDs, filter.kind, filter.code, filter.tenant, limit).decode(DeadLetterRecord.init)
    }

    /// A page of the letters, newest first.
    ///
    /// - Parameter position: of the last row of the page before; nil: from the newest.
    public static func page(
        _ filter: Filter, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [DeadLetterRecord] {
        let start = PageStart(after: position)
        return try database.query(
            SQL.page, filter.jobIDs, filter.kind, filter.code, filter.tenant, limit, start.time(0), start.uuid(1)
        ).decode(DeadLetterRecord.init)
    }

    public static let representation = Representation<DeadLetterRecord> {
        Member.text("id", \.id)
        Member.text("job_id", \.jobID)
        Member.text("kind", \.kind)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.text("key", \.key)
        Member.text("code", \.code)
        Member.text("message", \.message)
        Member.text("field", \.field)
        Member.number("attempts", \.attempts)
        Member.instant("failed_at", \.failedAt)
        Member.number("body_bytes", \.bodyBytes)
        Member.boolean("is_sealed", \.isSealed)
        Member.texts("redacted", \.redactedPointers)
    }

    private typealias Member = Representation<DeadLetterRecord>.Member

    private var redactedPointers: [String] { redacted.split(separator: " ").map { String($0) } }

    public var position: [String] { [failedAt.rfc3339, id] }

    /// One; nil: there is none of this id.
    public static func find(
        _ id: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> DeadLetterRecord? {
        guard UUIDText.isValid(id) else { return nil }
        return try database.query(SQL.find, id).decode(DeadLetterRecord.init).first
    }

    /// The ids of the letters, oldest first.
    public static func ids(
        _ filter: Filter, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [String] {
        try database.query(SQL.ids, filter.jobIDs, filter.kind, filter.code, filter.tenant).decode(String.self)
    }

    /// How many letters there are of each group, most first.
    ///
    /// - Returns: of each group the values asked for, in the order of ``Group``; `""` where a letter has none.
    public static func count(
        _ filter: Filter, by groups: Set<Group>, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [(values: [Group: String], letters: Int64)] {
        let names = groups.map(\.rawValue)
        return try database.query(SQL.count, filter.jobIDs, filter.kind, filter.code, filter.tenant, names).decode {
            (letters: Int64, code: String, kind: String, account: String, tenant: String, key: String) in
            let all: [Group: String] = [.code: code, .kind: kind, .account: account, .tenant: tenant, .key: key]
            return (all.filter { groups.contains($0.key) }, letters)
        }
    }

    /// Removes the rows of letters that are no longer there.
    public static func remove(_ ids: [String], on database: inout some Queryable & ~Copyable) throws(PostgresError) {
        _ = try database.query(SQL.remove, ids)
    }

    /// Removes the rows of letters that an operator has settled by HTTP; the API's role may do so by a function of the database alone.
    ///
    /// - Parameter key: the operator's.
    public static func forget(
        _ ids: [String], as key: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        guard !ids.isEmpty else { return }
        _ = try database.query(SQL.forget, key, ids)
    }

    enum SQL {
        static let forget: Statement = "select tenantry.forget_letters($1, $2::text[]::uuid[])"
        private static let filter = """
            (cardinality($1::text[]) = 0 or job_id = any($1)) and ($2::text is null or kind = $2) and ($3::text is null or code = $3)
              and ($4::text is null or tenant = $4)
            """
        private static let columns = """
            id::text, job_id, kind, nullif(account, ''), tenant, nullif(key, ''), code, message, field, attempts, failed_at, body_bytes,
                   is_sealed, redacted
            """
        static let list = Statement(
            "select \(columns) from tenantry.dead_letters where \(filter) order by failed_at, id limit $5")
        static let page = Statement(
            """
            select \(columns) from tenantry.dead_letters
            where \(filter) and (failed_at, id) < ($6::timestamptz, $7::text::uuid)
            order by failed_at desc, id desc limit $5
            """)
        static let find = Statement("select \(columns) from tenantry.dead_letters where id = $1::text::uuid")
        static let ids = Statement("select id::text from tenantry.dead_letters where \(filter) order by failed_at, id")
        static let count = Statement(
            """
            select count(*), case when 'code' = any($5::text[]) then code else '' end as by_code,
                   case when 'kind' = any($5) then kind else '' end as by_kind,
                   case when 'account' = any($5) then account else '' end as by_account,
                   case when 'tenant' = any($5) then coalesce(tenant, '') else '' end as by_tenant,
                   case when 'key' = any($5) then key else '' end as by_key
            from tenantry.dead_letters where \(filter)
            group by by_code, by_kind, by_account, by_tenant, by_key
            order by count(*) desc, by_code, by_kind, by_account, by_tenant, by_key
            """)
        static let remove: Statement = "delete from tenantry.dead_letters where id = any($1::text[]::uuid[])"
    }
}
