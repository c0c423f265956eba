public import Contract
public import Postgres

extension TemplateStore {
    /// Saves settings under the name, without documents; they replace all that the template had before.
    public static func begin(
        _ name: String, account: String, settings: [String: JSONValue], on database: inout Transaction
    ) throws(PostgresError) {
        try database.send(SavingSQL.save, account, name, JSONText(JSONValue.object(settings).serialised()))
        try database.send(SavingSQL.clear, account, name)
        _ = try database.collect()
    }

    /// Locks the template until the commit, for whoever changes it; false if the account has no such template.
    public static func holdForChange(
        _ name: String, account: String, on database: inout Transaction
    ) throws(PostgresError) -> Bool {
        try database.query(SavingSQL.hold, account, name).count == 1
    }

    /// Deletes the template. Tenants keep what they were given.
    ///
    /// - Returns: false if the account has no such template.
    public static func remove(_ name: String, account: String, on database: inout Transaction) throws(PostgresError) -> Bool {
        try database.query(SavingSQL.remove, account, name).count == 1
    }

    enum SavingSQL {
        static let save: Statement = """
            insert into tenantry.templates (account, name, settings) values ($1, $2, $3)
            on conflict (account, name) do update set settings = excluded.settings, updated_at = now()
            """
        static let hold: Statement = "select 1 from tenantry.templates where account = $1 and name = $2 for update"
        static let clear: Statement = "delete from tenantry.template_documents where account = $1 and template = $2"
        static let remove: Statement = "delete from tenantry.templates where account = $1 and name = $2 returning name"
        /// The same columns as ``DocumentStore`` writes for a tenant, and the documents' order; `$3` is how many came before.
        static let addDocuments: Statement = """
            insert into tenantry.template_documents (account, template, external_id, title, media_type, content_hash, content_bytes, text_bytes,
                chunk_count, attributes, language, search_config, segment, priority, tags, metadata, position)
            select $1, $2, n.id, n.title, n.media_type, n.hash, n.bytes, n.text_bytes, n.chunks::int,
                   n.attributes, a.attributes->>'language', n.config, a.attributes->>'segment', (a.attributes->>'priority')::int,
                   array(select jsonb_array_elements_text(a.attributes->'tags')), nullif(a.attributes->'metadata', 'null'),
                   $3 + n.position
            from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::int8[], $9::int8[], $10::int8[], $11::text[], $12::text[])
                with ordinality as n (id, title, media_type, hash, bytes, text_bytes, chunks, attributes, config, position)
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
