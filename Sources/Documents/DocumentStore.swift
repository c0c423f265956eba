internal import Contract
public import Metering
public import Postgres

/// A tenant's documents and chunks in its schema.
public enum DocumentStore {
    /// Held until the commit: of two that change a tenant's documents, the second decides by what the first has committed.
    public static func takeTurn(_ schema: Identifier, on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.corpus:\(schema.name)")
    }

    /// What is there under the documents' ids, and with their content under any id.
    public static func known(_ documents: [DocumentDigest], in schema: Identifier, on database: inout Transaction)
        throws(PostgresError)
        -> KnownDocuments
    {
        var parameters = Parameters()
        parameters.append(documents.map(\.externalID))
        parameters.append(documents.map(\.hash))
        return KnownDocuments(try database.query(SQL.known(schema), parameters))
    }

    /// Adds the documents, or replaces them with their chunks.
    public static func write(_ prepared: [PreparedDocument], in schema: Identifier, on database: inout Transaction)
        throws(PostgresError)
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

    /// Takes documents away with their chunks; says which, and how many bytes each had.
    public static func remove(_ ids: [String], in schema: Identifier, on database: inout Transaction) throws(PostgresError) -> [(
        externalID: String, bytes: Int64
    )] {
        var parameters = Parameters()
        parameters.append(ids)
        let rows = try database.query(SQL.remove(schema), parameters)
        return (0..<rows.count).map { (rows.text($0, 0), rows.int($0, 1)) }
    }

    /// Books a change of the tenant's documents.
    ///
    /// - Throws: `Rejection` (`limit_reached`) where more would be there than a hard limit allows.
    public static func book(_ counts: UsageCounts, account: String, tenant: String, on database: inout Transaction) throws {
        if counts.hasIncrease {
            try HardLimits.takeTurn(account: account, on: &database)
            try HardLimits.check(
                account: account, tenant: tenant, period: BillingPeriod.always.start, counts: counts, on: &database)
        }
        try Meter.book([UsageBooking(account: account, tenant: tenant, period: .always, counts: counts)], on: &database)
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
