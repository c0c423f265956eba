internal import Contract
internal import Postgres

/// The documents that a job's own could be new, changed or equal to.
struct KnownDocuments {
    private struct Known {
        let hash: String
        let attributes: String
        let bytes: Int64
    }

    private var byID: [String: Known] = [:]
    private var idByHash: [String: String] = [:]

    init(_ rows: Rows) {
        for row in 0..<rows.count {
            note(id: rows.text(row, 0), Known(hash: rows.text(row, 1), attributes: rows.text(row, 2), bytes: rows.int(row, 3)))
        }
    }

    func verdict(on document: HashedDocument) -> Verdict {
        guard let known = byID[document.source.externalID] else {
            return idByHash[document.hash].map { .duplicateOf($0) } ?? .created
        }
        return known.hash == document.hash && known.attributes == document.attributes ? .unchanged : .updated
    }

    func bytes(of externalID: String) -> Int64 { byID[externalID]?.bytes ?? 0 }

    /// A later document of the same job is measured against this one, too.
    mutating func note(_ document: HashedDocument) {
        note(id: document.source.externalID, Known(hash: document.hash, attributes: document.attributes, bytes: document.bytes))
    }

    private mutating func note(id: String, _ known: Known) {
        if let before = byID[id], idByHash[before.hash] == id { idByHash[before.hash] = nil }
        byID[id] = known
        if idByHash[known.hash] == nil { idByHash[known.hash] = id }
    }
}

/// The family's tables.
enum CorpusStore {
    static func takeTurn(_ schema: Identifier, on database: inout Connection) throws(PostgresError) {
        try database.takeTurn("tenantry.corpus:\(schema.name)")
    }

    static func known(_ documents: [HashedDocument], in schema: Identifier, on database: inout Connection) throws(PostgresError)
        -> KnownDocuments
    {
        var parameters = Parameters()
        parameters.append(documents.map(\.source.externalID))
        parameters.append(documents.map(\.hash))
        return KnownDocuments(try database.query(SQL.known(schema), parameters))
    }

    static func write(_ prepared: [PreparedDocument], in schema: Identifier, on database: inout Connection) throws(PostgresError)
    {
        guard !prepared.isEmpty else { return }
        let sources = prepared.map(\.document.source)
        var documents = Parameters()
        documents.append(sources.map(\.externalID))
        documents.append(sources.map(\.title))
        documents.append(sources.map(\.mediaType))
        documents.append(prepared.map(\.document.hash))
        documents.append(prepared.map(\.document.bytes))
        documents.append(prepared.map { Int64($0.chunks.count) })
        documents.append(prepared.map(\.document.attributes))
        documents.append(prepared.map(\.searchConfiguration))
        try database.send(SQL.upsertDocuments(schema), documents)
        var owners = Parameters()
        owners.append(sources.map(\.externalID))
        try database.send(SQL.removeChunks(schema), owners)
        for document in prepared where !document.chunks.isEmpty {
            var chunks = Parameters()
            chunks.append(document.document.source.externalID)
            chunks.append(document.searchConfiguration)
            chunks.append(document.chunks.map { Int64($0.position) })
            chunks.append(document.chunks.map(\.heading))
            chunks.append(document.chunks.map(\.content))
            chunks.append(document.chunks.map { Int64($0.tokenCount) })
            try database.send(SQL.addChunks(schema), chunks)
        }
        _ = try database.collect()
    }

    static func remove(_ ids: [String], in schema: Identifier, on database: inout Connection) throws(PostgresError) -> [(
        externalID: String, bytes: Int64
    )] {
        var parameters = Parameters()
        parameters.append(ids)
        let rows = try database.query(SQL.remove(schema), parameters)
        return (0..<rows.count).map { (rows.text($0, 0), rows.int($0, 1)) }
    }

    enum SQL {
        /// By id, and by content under any id.
        static func known(_ schema: Identifier) -> Statement {
            Statement(
                """
                select external_id, content_hash, attributes, content_bytes from \(schema.quoted).documents
                where external_id = any($1) or content_hash = any($2) order by created_at, external_id
                """)
        }

        static func upsertDocuments(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).documents as d (external_id, title, media_type, content_hash, content_bytes, chunk_count, attributes,
                    language, search_config, segment, priority, tags, metadata)
                select n.id, n.title, n.media_type, n.hash, n.bytes, n.chunks::int, n.attributes,
                       a.attributes->>'language', n.config, a.attributes->>'segment', (a.attributes->>'priority')::int,
                       array(select jsonb_array_elements_text(a.attributes->'tags')), nullif(a.attributes->'metadata', 'null')
                from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::text[], $8::text[])
                    as n (id, title, media_type, hash, bytes, chunks, attributes, config)
                cross join lateral (select n.attributes::jsonb as attributes) a
                on conflict (external_id) do update set title = excluded.title, media_type = excluded.media_type,
                    content_hash = excluded.content_hash, content_bytes = excluded.content_bytes, chunk_count = excluded.chunk_count,
                    attributes = excluded.attributes, language = excluded.language, search_config = excluded.search_config,
                    segment = excluded.segment, priority = excluded.priority, tags = excluded.tags, metadata = excluded.metadata,
                    updated_at = now()
                """)
        }

        static func removeChunks(_ schema: Identifier) -> Statement {
            Statement("delete from \(schema.quoted).chunks where external_id = any($1)")
        }

        /// The heading weighs more than the text below it.
        static func addChunks(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).chunks (external_id, position, heading, content, token_count, search)
                select $1, position::int, heading, content, tokens::int,
                       setweight(to_tsvector($2::text::regconfig, heading), 'A') || to_tsvector($2::text::regconfig, content)
                from unnest($3::int8[], $4::text[], $5::text[], $6::int8[]) as c (position, heading, content, tokens)
                """)
        }

        static func remove(_ schema: Identifier) -> Statement {
            Statement("delete from \(schema.quoted).documents where external_id = any($1) returning external_id, content_bytes")
        }
    }
}
