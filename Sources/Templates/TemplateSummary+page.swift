internal import Contract
public import Jobs
public import Postgres

extension TemplateSummary {
    public static let representation = Representation<TemplateSummary> {
        Member.text("name", \.name)
        Member.text("account", \.account)
        Member.number("setting_count", \.settings)
        Member.number("document_count", \.documents)
        Member.number("chunk_count", \.chunks)
        Member.number("content_bytes", \.bytes)
        Member.instant("updated_at", \.updatedAt)
    }

    private typealias Member = Representation<TemplateSummary>.Member

    public var position: [String] { [name] }

    /// A page of an account's templates, ordered by name.
    ///
    /// - Parameter position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String, after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TemplateSummary] {
        try database.query(SQL.page, account, PageStart(after: position).text(0), limit).decode(TemplateSummary.init)
    }
}

extension TemplateSummary.SQL {
    static let page: Statement = """
        select t.account, t.name, (select count(*) from jsonb_object_keys(t.settings)), d.documents, d.chunks, d.bytes, t.updated_at
        from tenantry.templates t
        cross join lateral (
            select count(*) as documents, coalesce(sum(chunk_count), 0)::int8 as chunks, coalesce(sum(content_bytes), 0)::int8 as bytes
            from tenantry.template_documents where account = t.account and template = t.name
        ) d
        where t.account = $1 and t.name > $2 order by t.name limit $3
        """
}
