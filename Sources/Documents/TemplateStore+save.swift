public import Contract
public import Postgres

extension TemplateStore {
    /// Keeps settings and documents under the name; what was there before is gone, whole.
    public static func save(
        _ name: String, account: String, settings: [String: JSONValue], documents: [PreparedDocument],
        on database: inout Transaction
    ) throws(PostgresError) {
        var template = key(account, name)
        template.append(jsonb: String(decoding: JSONValue.object(settings).serialised(), as: UTF8.self))
        try database.send(SavingSQL.save, template)
        try database.send(SavingSQL.clear, key(account, name))
        if !documents.isEmpty {
            try database.send(SavingSQL.addDocuments, parameters(documents, template: key(account, name)))
        }
        for document in documents where !document.chunks.isEmpty {
            var chunks = key(account, name)
            chunks.append(document.document.source.externalID)
            chunks.append(document.searchConfiguration)
            chunks.append(document.chunks.map { Int64($0.position) })
            chunks.append(document.chunks.map(\.heading))
            chunks.append(document.chunks.map(\.content))
            chunks.append(document.chunks.map { Int64($0.tokenCount) })
            try database.send(SavingSQL.addChunks, chunks)
        }
        _ = try database.collect()
    }

    private static func parameters(_ prepared: [PreparedDocument], template: Parameters) -> Parameters {
        let documents = prepared.map(\.document)
        var parameters = template
        parameters.append(documents.map(\.source.externalID))
        parameters.append(documents.map(\.source.title))
        parameters.append(documents.map(\.source.mediaType))
        parameters.append(documents.map(\.hash))
        parameters.append(documents.map(\.bytes))
        parameters.append(prepared.map { Int64($0.chunks.count) })
        parameters.append(documents.map(\.attributes))
        parameters.append(prepared.map(\.searchConfiguration))
        return parameters
    }

    /// Forgets the template. Tenants keep what they were given.
    ///
    /// - Returns: false if the account has no such template.
    public static func remove(_ name: String, account: String, on database: inout Transaction) throws(PostgresError) -> Bool {
        try database.query(SavingSQL.remove, key(account, name)).count == 1
    }

    enum SavingSQL {
        static let save: Statement = """
            insert into tenantry.templates (account, name, settings) values ($1, $2, $3)
            on conflict (account, name) do update set settings = excluded.settings, updated_at = now()
            """
        static let clear: Statement = "delete from tenantry.template_documents where account = $1 and template = $2"
        static let remove: Statement = "delete from tenantry.templates where account = $1 and name = $2 returning name"
        /// As ``DocumentStore`` writes a tenant's, in the order that they came in.
        static let addDocuments: Statement = """
            insert into tenantry.template_documents (account, template, external_id, title, media_type, content_hash, content_bytes, chunk_count,
                attributes, language, search_config, segment, priority, tags, metadata, position)
            select $1, $2, n.id, n.title, n.media_type, n.hash, n.bytes, n.chunks::int,
                   n.attributes, a.attributes->>'language', n.config, a.attributes->>'segment', (a.attributes->>'priority')::int,
                   array(select jsonb_array_elements_text(a.attributes->'tags')), nullif(a.attributes->'metadata', 'null'), n.position
            from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::int8[], $9::text[], $10::text[])
                with ordinality as n (id, title, media_type, hash, bytes, chunks, attributes, config, position)
            cross join lateral (select n.attributes::jsonb as attributes) a
            """
        static let addChunks: Statement = """
            insert into tenantry.template_chunks (account, template, external_id, position, heading, content, token_count, search)
            select $1, $2, $3, position::int, heading, content, tokens::int,
                   setweight(to_tsvector($4::text::regconfig, heading), 'A') || to_tsvector($4::text::regconfig, content)
            from unnest($5::int8[], $6::text[], $7::text[], $8::int8[]) as c (position, heading, content, tokens)
            """
    }
}
