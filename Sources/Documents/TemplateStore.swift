internal import Contract
internal import Metering
public import Postgres

/// Settings and documents under a name of the account's, with chunks that are made once and copied as often as tenants want them.
///
/// Whoever applies a template holds its row against whoever saves or removes it: a tenant is given one state of it or the next, whole.
public enum TemplateStore {
    /// Gives a tenant what the template holds: settings replace those of the same key, documents are judged as if they were ingested, and
    /// chunks are copied as they are.
    ///
    /// Takes the tenant's turn (``DocumentStore/takeTurn(_:on:)``) and, where documents are added, the account's
    /// (`HardLimits.takeTurn`); both are held until the commit.
    ///
    /// - Returns: nil if the account has no such template.
    /// - Throws: `Rejection` (`limit_reached`) where more would be there than a hard limit allows; `PostgresError`.
    public static func apply(
        _ name: String, account: String, tenant: String, schema: Identifier, on database: inout Transaction
    ) throws -> TemplateOutcome? {
        let template = key(account, name)
        guard try database.query(SQL.hold, template).count == 1 else { return nil }
        try DocumentStore.takeTurn(schema, on: &database)
        let settings = try database.query(SQL.copySettings(schema), template)
        let documents = try judge(try database.query(SQL.documents, template), in: schema, on: &database)
        try DocumentStore.book(documents.counts, account: account, tenant: tenant, on: &database)
        if !documents.wanted.isEmpty {
            var copied = template
            copied.append(documents.wanted)
            try database.send(SQL.copyDocuments(schema), copied)
            var owners = Parameters()
            owners.append(documents.wanted)
            try database.send(DocumentStore.SQL.removeChunks(schema), owners)
            try database.send(SQL.copyChunks(schema), copied)
            _ = try database.collect()
        }
        return TemplateOutcome(
            settings: (0..<settings.count).map { settings.text($0, 0) }.sorted(), documents: documents.outcomes)
    }

    /// What is to be done with each document, in the template's order.
    private static func judge(_ rows: Rows, in schema: Identifier, on database: inout Transaction) throws(PostgresError) -> (
        outcomes: [JSONValue], wanted: [String], counts: UsageCounts
    ) {
        let digests = (0..<rows.count).map { row in
            DocumentDigest(
                externalID: rows.text(row, 0), hash: rows.text(row, 1), attributes: rows.text(row, 2), bytes: rows.int(row, 3))
        }
        guard !digests.isEmpty else { return ([], [], UsageCounts()) }
        var known = try DocumentStore.known(digests, in: schema, on: &database)
        var (outcomes, wanted, counts): ([JSONValue], [String], UsageCounts) = ([], [], UsageCounts())
        for (row, document) in digests.enumerated() {
            let verdict = known.verdict(on: document)
            switch verdict {
            case .unchanged, .duplicateOf: break
            case .created, .updated:
                counts[.documents] += verdict == .created ? 1 : 0
                counts[.corpusBytes] += document.bytes - known.bytes(of: document.externalID)
                known.note(document)
                wanted.append(document.externalID)
            }
            outcomes.append(verdict.outcome(of: document.externalID, chunks: Int(rows.int(row, 4))))
        }
        return (outcomes, wanted, counts)
    }

    static func key(_ account: String, _ name: String) -> Parameters {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(name)
        return parameters
    }

    enum SQL {
        /// Held until the commit; appliers do not wait for each other.
        static let hold: Statement = "select 1 from tenantry.templates where account = $1 and name = $2 for share"
        static let documents: Statement = """
            select external_id, content_hash, attributes, content_bytes, chunk_count from tenantry.template_documents
            where account = $1 and template = $2 order by position
            """

        static func copySettings(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).settings (key, value)
                select s.key, s.value from tenantry.templates t, jsonb_each(t.settings) s where t.account = $1 and t.name = $2
                on conflict (key) do update set value = excluded.value returning key
                """)
        }

        static func copyDocuments(_ schema: Identifier) -> Statement {
            let columns = """
                external_id, title, media_type, content_hash, content_bytes, chunk_count, attributes, language, search_config, segment, priority,
                tags, metadata
                """
            return Statement(
                """
                insert into \(schema.quoted).documents (\(columns))
                select \(columns) from tenantry.template_documents where account = $1 and template = $2 and external_id = any($3)
                order by position
                on conflict (external_id) do update set title = excluded.title, media_type = excluded.media_type,
                    content_hash = excluded.content_hash, content_bytes = excluded.content_bytes, chunk_count = excluded.chunk_count,
                    attributes = excluded.attributes, language = excluded.language, search_config = excluded.search_config,
                    segment = excluded.segment, priority = excluded.priority, tags = excluded.tags, metadata = excluded.metadata,
                    updated_at = now()
                """)
        }

        static func copyChunks(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).chunks (external_id, position, heading, content, token_count, search)
                select external_id, position, heading, content, token_count, search from tenantry.template_chunks
                where account = $1 and template = $2 and external_id = any($3)
                """)
        }
    }
}
