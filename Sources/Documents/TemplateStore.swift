public import Contract
internal import Metering
public import Postgres

/// An account's templates: settings and documents under a name, with chunks that are made once and copied to each tenant.
///
/// Applying a template locks its row against saving and removing it, so a tenant is never given parts of two versions.
public enum TemplateStore {
    /// Gives a tenant what the template holds: settings replace those of the same key, documents are compared as if they were ingested, and
    /// chunks are copied as they are.
    ///
    /// Takes the tenant's turn (``DocumentStore/takeTurn(_:on:)``) and, where documents are added, the account's
    /// (`HardLimits.takeTurn`); both are held until the commit.
    ///
    /// - Returns: nil if the account has no such template.
    /// - Throws: `Rejection` (`limit_reached`) if a hard limit does not allow it, or if the tenant would have too many settings; `PostgresError`.
    public static func apply(
        _ name: String, account: String, tenant: String, schema: Identifier, on database: inout Transaction
    ) throws -> TemplateOutcome? {
        guard try database.query(SQL.hold, account, name).count == 1 else { return nil }
        try DocumentStore.takeTurn(schema, on: &database)
        try SettingsSize.takeTurn(schema, on: &database)
        let before = try SettingsSize.bytes(schema, on: &database)
        let settings = try database.query(SQL.copySettings(schema), account, name).decode(String.self)
        if !settings.isEmpty { try SettingsSize.check(schema, before: before, field: "/template", on: &database) }
        let offered = try database.query(SQL.documents, account, name).decode(TemplateDocument.init)
        let comparison = try compare(offered, in: schema, on: &database)
        try DocumentStore.book(comparison.counts, account: account, tenant: tenant, on: &database)
        if !comparison.wanted.isEmpty {
            try database.send(SQL.copyDocuments(schema), account, name, comparison.wanted)
            try database.send(DocumentStore.SQL.removeChunks(schema), comparison.wanted)
            try database.send(SQL.copyChunks(schema), account, name, comparison.wanted)
            _ = try database.collect()
        }
        return TemplateOutcome(settings: settings.sorted(), documents: comparison.entries)
    }

    /// What is to be done with each document, in the template's order.
    private static func compare(
        _ offered: [TemplateDocument], in schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) -> (entries: [JSONValue], wanted: [String], counts: UsageCounts) {
        guard !offered.isEmpty else { return ([], [], UsageCounts()) }
        var known = try DocumentStore.known(offered.map(\.digest), in: schema, on: &database)
        var (entries, wanted, counts): ([JSONValue], [String], UsageCounts) = ([], [], UsageCounts())
        for document in offered {
            let digest = document.digest
            let outcome = known.outcome(of: digest)
            switch outcome {
            case .unchanged, .duplicateOf, .rejected: break
            case .created, .updated:
                counts[.documents] += outcome == .created ? 1 : 0
                counts[.corpusBytes] += digest.bytes - known.bytes(of: digest.externalID)
                known.note(digest)
                wanted.append(digest.externalID)
            }
            entries.append(outcome.entry(of: digest.externalID, chunks: document.chunkCount))
        }
        return (entries, wanted, counts)
    }

    /// A document of a template; made from the columns of ``SQL/documents``.
    private struct TemplateDocument {
        let digest: DocumentDigest
        let chunkCount: Int

        init(externalID: String, hash: String, attributes: String, bytes: Int64, chunkCount: Int) {
            digest = DocumentDigest(externalID: externalID, hash: hash, attributes: attributes, bytes: bytes)
            self.chunkCount = chunkCount
        }
    }

    enum SQL {
        /// Locks the row until the commit. Several jobs that apply a template do not wait for each other.
        static let hold: Statement = "select 1 from tenantry.templates where account = $1 and name = $2 for share"
        static let documents: Statement = """
            select external_id, content_hash, attributes, greatest(content_bytes, text_bytes), chunk_count from tenantry.template_documents
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
                external_id, title, media_type, content_hash, content_bytes, text_bytes, chunk_count, attributes, language, search_config, segment,
                priority, tags, metadata
                """
            return Statement(
                """
                insert into \(schema.quoted).documents (\(columns))
                select \(columns) from tenantry.template_documents where account = $1 and template = $2 and external_id = any($3)
                order by position
                on conflict (external_id) do update set title = excluded.title, media_type = excluded.media_type,
                    content_hash = excluded.content_hash, content_bytes = excluded.content_bytes, text_bytes = excluded.text_bytes,
                    chunk_count = excluded.chunk_count, attributes = excluded.attributes, language = excluded.language, search_config = excluded.search_config,
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

/// What a tenant was given from a template.
public struct TemplateOutcome: Sendable, Equatable {
    /// The settings that were written, in ascending order.
    public let settings: [String]
    /// An entry for each document, in the template's order, as ``DocumentOutcome/entry(of:chunks:)`` makes it.
    public let documents: [JSONValue]

    /// `{"settings": […], "documents": […]}`, for an answer.
    public var result: [String: JSONValue] {
        ["settings": .array(settings.map { .string($0) }), "documents": .array(documents)]
    }
}
