internal import Contract
public import Metering
public import Postgres

/// A tenant's documents and chunks in its schema.
public enum DocumentStore {
    /// Waits for the turn to change a tenant's documents; held until the commit, so that the next one sees what this one has committed.
    public static func takeTurn(_ schema: Identifier, on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.corpus:\(schema.name)")
    }

    /// The tenant's documents with the same ids, or with the same content under any id.
    public static func known(
        _ documents: [DocumentDigest], in schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) -> KnownDocuments {
        let found = try database.query(SQL.known(schema), documents.map(\.externalID), documents.map(\.hash))
        return KnownDocuments(found.decode(DocumentDigest.init))
    }

    /// Removes documents with their chunks.
    ///
    /// - Returns: those that were there, and how many bytes each counted.
    public static func remove(
        _ ids: [String], in schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) -> [(externalID: String, bytes: Int64)] {
        try database.query(SQL.remove(schema), ids).decode { (id: String, bytes: Int64) in (externalID: id, bytes: bytes) }
    }

    /// Books a change of the tenant's documents.
    ///
    /// - Throws: `Rejection` (`limit_reached`) if a hard limit does not allow it.
    public static func book(_ counts: UsageCounts, account: String, tenant: String, on database: inout Transaction) throws {
        if counts.hasIncrease {
            try HardLimits.takeTurn(account: account, on: &database)
            try HardLimits.check(
                account: account, tenant: tenant, period: .always, counts: counts, on: &database)
        }
        try Meter.book([UsageBooking(account: account, tenant: tenant, period: .always, counts: counts)], on: &database)
    }

    enum SQL {
        /// By id, and by content under any id.
        static func known(_ schema: Identifier) -> Statement {
            Statement(
                """
                select external_id, content_hash, attributes, greatest(content_bytes, text_bytes) from \(schema.quoted).documents
                where external_id = any($1) or content_hash = any($2) order by created_at, external_id
                """)
        }

        static func upsertDocuments(_ schema: Identifier) -> Statement {
            Statement(
                """
                insert into \(schema.quoted).documents as d (external_id, title, media_type, content_hash, content_bytes, text_bytes, chunk_count,
                    attributes, language, search_config, segment, priority, tags, metadata)
                select n.id, n.title, n.media_type, n.hash, n.bytes, n.text_bytes, n.chunks::int, n.attributes,
                       a.attributes->>'language', n.config, a.attributes->>'segment', (a.attributes->>'priority')::int,
                       array(select jsonb_array_elements_text(a.attributes->'tags')), nullif(a.attributes->'metadata', 'null')
                from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::text[], $9::text[])
                    as n (id, title, media_type, hash, bytes, text_bytes, chunks, attributes, config)
                cross join lateral (select n.attributes::jsonb as attributes) a
                on conflict (external_id) do update set title = excluded.title, media_type = excluded.media_type,
                    content_hash = excluded.content_hash, content_bytes = excluded.content_bytes, text_bytes = excluded.text_bytes,
                    chunk_count = excluded.chunk_count, attributes = excluded.attributes, language = excluded.language, search_config = excluded.search_config,
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
            Statement(
                "delete from \(schema.quoted).documents where external_id = any($1) returning external_id, greatest(content_bytes, text_bytes)"
            )
        }
    }
}
