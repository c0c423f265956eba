internal import Contract
public import Postgres

extension AuditRecord {
    public static let representation = Representation<AuditRecord> {
        Member.number("id", \.id)
        Member.instant("at", \.at)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.text("kind", \.kind)
        Member.text("actor", \.actor)
        Member.text("role", \.role)
        Member.text("credential", \.credential)
        Member.text("job_id", \.jobID)
        Member.object("details", \.details)
    }

    private typealias Member = Representation<AuditRecord>.Member

    public var position: [String] { [String(id)] }

    /// A page of what is on record, latest first. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - kind: the name of a kind or of an ``AuditedDeed``.
    ///   - actor: a credential's name or an administrator's address, whole.
    ///   - from: at this time or later.
    ///   - to: before this time.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, tenant: String? = nil, kind: String? = nil, actor: String? = nil, from: Timestamp? = nil,
        to: Timestamp? = nil, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [AuditRecord] {
        try database.query(SQL.page, account, tenant, kind, actor, from, to, PageStart(after: position).number(0), limit)
            .decode(AuditRecord.init)
    }
}

extension AuditRecord.SQL {
    /// `$1` account, `$2` tenant, `$3` kind, `$4` actor, `$5` from, `$6` to, `$7` the place before, `$8` the most rows.
    static let page = Statement(
        """
        select \(columns) from tenantry.audit_log
        where id < $7 and ($1::text is null or account = $1) and ($2::text is null or tenant = $2) and ($3::text is null or kind = $3)
          and ($4::text is null or actor = $4) and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
        order by id desc limit $8
        """)
}
