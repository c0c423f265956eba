internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// What one tenant's `log` statement reports.
struct Added {
    /// By the start of the period that it is booked in.
    let counts: [Timestamp: UsageCounts]
    let messages: Int
    /// The ids added; only filled when some message was not.
    let ids: [String]

    init(_ rows: Rows) {
        var counts: [Timestamp: UsageCounts] = [:]
        var ids: [String] = []
        for row in 0..<rows.count {
            var part = UsageCounts()
            part[.messages] = rows.int(row, 1)
            part[.conversations] = rows.int(row, 2)
            part[.activeUsers] = rows.int(row, 3)
            part[.tokens] = rows.int(row, 4)
            counts[rows.timestamp(row, 0), default: UsageCounts()] += part
            if !rows.isNull(row, 5) { ids += rows.texts(row, 5) }
        }
        self.counts = counts
        self.ids = ids
        messages = counts.values.reduce(0) { $0 + Int($1[.messages]) }
    }
}

/// The SQL of `conversation.log`, made once for each tenant's schema.
struct TenantStatements {
    struct Pair {
        /// Adds messages and what follows from them; reports by period what is new.
        let log: Statement
        /// Channel and metadata of conversations, where producers send them; reports those whose metadata is too much now.
        let describe: Statement
        /// Whether `log` leaves out what was erased.
        fileprivate let sparesErased: Bool
    }

    /// Schemas whose statements are kept before all are forgotten. A thousand of them take a megabyte and a half.
    private static let capacity = 20_000
    private var pairs: [String: Pair] = [:]

    mutating func of(_ group: MessageGroup) -> Pair {
        let schema = group.tenant.schema
        if let pair = pairs[schema.name], pair.sparesErased == group.sparesErased { return pair }
        if pairs.count >= Self.capacity { pairs.removeAll() }
        let pair = Pair(
            log: group.sparesErased ? Self.logSparingErased(schema) : Self.log(schema), describe: Self.describe(schema),
            sparesErased: group.sparesErased)
        pairs[schema.name] = pair
        return pair
    }

    static func log(_ schema: Identifier) -> Statement { log(schema, from: "unnest(\(columns))") }

    /// What was erased is left out, and so answered as a duplicate. `$12` is the tenant.
    static func logSparingErased(_ schema: Identifier) -> Statement {
        log(
            schema,
            from: """
                unnest(\(columns)) as m (id)
                where not exists (select from tenantry.erased_messages e
                    where e.tenant = $12 and e.digest = sha256(convert_to(m.id, 'UTF8')))
                """)
    }

    private static let columns = """
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
                    $8::int8[], $9::int8[], $10::text[], $11::jsonb[]
        """

    private static func log(_ schema: Identifier, from source: String) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            with added as (
                insert into \(schema).messages
                    (id, conversation_id, role, user_id, content, sent_at, period_start, tokens_in, tokens_out, model, metadata)
                select * from \(source)
                on conflict (id) do nothing
                returning id, conversation_id, user_id, sent_at, period_start, tokens_in, tokens_out
            ), talks as (
                insert into \(schema).conversations as c (id, opened_at, started_at, last_message_at, message_count, period_start)
                select conversation_id, min(sent_at), min(sent_at), max(sent_at), count(*), min(period_start)
                from added group by conversation_id order by conversation_id
                on conflict (id) do update set started_at = least(c.started_at, excluded.started_at),
                    last_message_at = greatest(c.last_message_at, excluded.last_message_at),
                    message_count = c.message_count + excluded.message_count
                returning period_start, xmax = 0 as is_new
            ), people as (
                insert into \(schema).active_users (period_start, user_id)
                select distinct period_start, user_id from added where user_id is not null order by 1, 2
                on conflict do nothing
                returning period_start
            )
            select period_start, count(*), 0::int8, 0::int8, sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0))::int8,
                   case when (select count(*) from added) < cardinality($1) then array_agg(id) end
            from added group by period_start
            union all
            select period_start, 0, count(*), 0, 0, null from talks where is_new group by period_start
            union all
            select period_start, 0, 0, count(*), 0, null from people group by period_start
            """)
    }

    /// - Returns: conversations whose metadata is too much now, how many bytes it has, and how many it had.
    static func describe(_ schema: Identifier) -> Statement {
        Statement(
            """
            with said as (
                select * from unnest($1::text[], $2::text[], $3::jsonb[]) with ordinality as d (id, channel, metadata, n)
            ), merged as (
                select id, (array_agg(channel order by n desc) filter (where channel is not null))[1] as channel,
                       (select jsonb_object_agg(e.key, e.value order by s.n) from said s cross join lateral jsonb_each(s.metadata) e
                        where s.id = said.id) as metadata
                from said group by id
            ), described as (
                update \(schema.quoted).conversations c
                set channel = coalesce(m.channel, c.channel),
                    metadata = case when m.metadata is null then c.metadata else coalesce(c.metadata, '{}') || m.metadata end
                from merged m
                where c.id = m.id
                returning c.id, case when m.metadata is not null then c.metadata end as metadata
            )
            select d.id, octet_length(d.metadata::text)::int8,
                   coalesce((select octet_length(c.metadata::text) from \(schema.quoted).conversations c where c.id = d.id), 0)::int8
            from described d where octet_length(d.metadata::text) > \(Bounds.metadataBytes)
            """)
    }

    /// Notes which of the given messages were booked after the end of their own period, and which that is.
    static func noteLate(_ schema: Identifier) -> Statement {
        Statement(
            """
            insert into tenantry.late_usage as l (account, tenant, booked_start, period_start, messages, tokens)
            select $1, $2, m.period_start, own.period_start, count(*), sum(coalesce(m.tokens_in, 0) + coalesce(m.tokens_out, 0))::int8
            from \(schema.quoted).messages m
            cross join lateral tenantry.period(m.sent_at, $4, $5::int8::int4) own
            where m.id = any($3::text[]) and m.sent_at < m.period_start
            group by m.period_start, own.period_start order by m.period_start, own.period_start
            on conflict (tenant, booked_start, period_start) do update
            set messages = l.messages + excluded.messages, tokens = l.tokens + excluded.tokens
            """)
    }

    /// Of these tenants, those of which something was ever erased.
    static let erased: Statement = "select slug from tenantry.tenants where slug = any($1) and has_erasures"
}
