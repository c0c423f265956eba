public import Postgres

/// A template and how much it holds.
public struct TemplateSummary: Sendable {
    public let account: String
    public let name: String
    /// How many settings, documents and chunks of documents.
    public let settings: Int64
    public let documents: Int64
    public let chunks: Int64
    /// The documents' contents.
    public let bytes: Int64
    public let updatedAt: Timestamp

    /// Every template, ordered by account and name.
    ///
    /// - Parameter account: only this account's; nil: all.
    public static func list(
        account: String? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TemplateSummary] {
        try database.query(SQL.list, account).decode(TemplateSummary.init)
    }

    enum SQL {
        static let list: Statement = """
            select t.account, t.name, (select count(*) from jsonb_object_keys(t.settings)), count(d.external_id),
                   coalesce(sum(d.chunk_count), 0)::int8, coalesce(sum(d.content_bytes), 0)::int8, t.updated_at
            from tenantry.templates t
            left join tenantry.template_documents d on d.account = t.account and d.template = t.name
            where $1::text is null or t.account = $1
            group by t.account, t.name order by t.account, t.name
            """
    }
}
