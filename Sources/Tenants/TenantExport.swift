internal import Contract
public import Postgres

/// All of a tenant as JSON Lines, from one snapshot: as it was at one moment, whatever is logged meanwhile.
///
/// Lines, in this order: one `tenant`, its `setting`s, its `document`s with their chunks, its `conversation`s, its `message`s with their
/// ratings, and one `end` with the number of lines before it, which tells a reader that none is missing.
public enum TenantExport {
    /// Streams the lines, each with its line feed, valid during the call only.
    ///
    /// - Parameters:
    ///   - begin: called first, with about how many lines there will be.
    ///   - line: called with each line.
    /// - Returns: how many lines there were, the last one among them.
    /// - Throws: `Rejection` (`tenant_unknown`) if there is no such tenant or it was purged; `PostgresError`; what `line` throws.
    public static func run(
        _ slug: String, on database: inout Connection, begin: (Int64) -> Void = { _ in },
        line: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int64 {
        try database.transaction(mode: "isolation level repeatable read read only") { database in
            try stream(slug, on: &database, begin: begin, line: line)
        }
    }

    private static func stream(
        _ slug: String, on database: inout Transaction, begin: (Int64) -> Void, line: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int64 {
        _ = try database.query(SQL.universalTime)
        let found = try database.query(SQL.tenant, slug).first((String, String, String).self)
        guard let (name, state, first) = found else { throw Rejection(.tenantUnknown, "there is no tenant \(slug)") }
        guard state != TenantState.purged.rawValue else { throw Rejection(.tenantUnknown, "tenant \(slug) was purged") }
        let schema = try Identifier(name)
        begin(try database.query(SQL.size(schema)).only(Int64.self))
        var lines: Int64 = 1
        try Array("\(first)\n".utf8).withUnsafeBytes { try line($0) }
        for select in SQL.parts(schema) {
            // JSON text holds neither of these two control characters, so COPY writes it unchanged.
            try database.copyOut(#"copy (\#(select)) to stdout (format csv, delimiter e'\x01', quote e'\x02')"#) { row in
                lines += 1
                try line(row)
            }
        }
        lines += 1
        let end: JSONValue = ["type": "end", "lines": .int(lines - 1)]
        try (end.serialised() + Array("\n".utf8)).withUnsafeBytes { try line($0) }
        return lines
    }

    enum SQL {
        static let universalTime: Statement = "select pg_catalog.set_config('timezone', 'UTC', true)"
        static let tenant: Statement = """
            select t.schema_name, t.state, row_to_json(l)::text
            from tenantry.tenants t
            cross join lateral (
                select 'tenant' as type, t.slug as tenant, t.account, t.schema_name as schema, t.display_name, t.plan, t.environment,
                       t.billing_mode, t.stripe_account, t.state, t.created_at, t.suspended_at, t.archived_at, t.purge_at,
                       coalesce((select jsonb_object_agg(c.metric, c.limit_value) from tenantry.custom_limits c
                                 where c.account = t.account and c.tenant = t.slug), '{}') as limits,
                       now() as exported_at
            ) l
            where t.slug = $1
            """

        /// All lines but the first and the last; messages as their conversations count them.
        static func size(_ schema: Identifier) -> Statement {
            let schema = schema.quoted
            return Statement(
                """
                select (select count(*) from \(schema).settings) + (select count(*) from \(schema).documents)
                     + (select count(*) + coalesce(sum(message_count), 0) from \(schema).conversations)::int8
                """)
        }

        /// What each part of the lines is selected with.
        static func parts(_ schema: Identifier) -> [String] {
            let schema = schema.quoted
            return [
                """
                select row_to_json(l) from (select 'setting' as type, key, value from \(schema).settings) l order by key
                """,
                """
                select row_to_json(l) from (
                    select 'document' as type, d.external_id, d.title, d.media_type, d.content_hash, d.content_bytes, d.language,
                           d.search_config, d.segment, d.priority, d.tags, d.metadata, d.created_at, d.updated_at,
                           (select coalesce(json_agg(json_build_object('position', c.position, 'heading', c.heading, 'content', c.content,
                                'token_count', c.token_count) order by c.position), '[]')
                            from \(schema).chunks c where c.external_id = d.external_id) as chunks
                    from \(schema).documents d
                ) l order by external_id
                """,
                """
                select row_to_json(l) from (
                    select 'conversation' as type, id, started_at, last_message_at, message_count, channel, metadata
                    from \(schema).conversations
                ) l order by id
                """,
                """
                select row_to_json(l) from (
                    select 'message' as type, id, conversation_id, role, user_id, content, sent_at, tokens_in, tokens_out, model, metadata,
                           rating, rating_comment, rated_at
                    from \(schema).messages
                ) l order by conversation_id, sent_at, id
                """,
            ]
        }
    }
}
