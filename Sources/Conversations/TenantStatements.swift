internal import Fleet
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
            part.messages = rows.int(row, 1)
            part.conversations = rows.int(row, 2)
            part.activeUsers = rows.int(row, 3)
            part.tokens = rows.int(row, 4)
            counts[rows.timestamp(row, 0), default: UsageCounts()] += part
            if !rows.isNull(row, 5) { ids += rows.texts(row, 5) }
        }
        self.counts = counts
        self.ids = ids
        messages = counts.values.reduce(0) { $0 + Int($1.messages) }
    }
}

/// The family's SQL, made once for each tenant's schema.
struct TenantStatements {
    struct Pair {
        /// Adds messages and what follows from them; reports by period what is new.
        let log: Statement
        /// Channel and metadata of conversations, where producers send them.
        let describe: Statement
    }

    /// Texts kept before starting afresh: a megabyte and a half a thousand.
    private static let capacity = 20_000
    private var pairs: [String: Pair] = [:]

    mutating func of(_ tenant: TenantRecord) -> Pair {
        if let pair = pairs[tenant.schema.name] { return pair }
        if pairs.count >= Self.capacity { pairs.removeAll() }
        let pair = Pair(log: Self.log(tenant.schema), describe: Self.describe(tenant.schema))
        pairs[tenant.schema.name] = pair
        return pair
    }

    static func log(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            with added as (
                insert into \(schema).messages
                    (id, conversation_id, role, user_id, content, sent_at, period_start, tokens_in, tokens_out, model, metadata)
                select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
                    $8::int8[], $9::int8[], $10::text[], $11::jsonb[])
                on conflict (id) do nothing
                returning id, conversation_id, user_id, sent_at, period_start, tokens_in, tokens_out
            ), talks as (
                insert into \(schema).conversations as c (id, started_at, last_message_at, message_count, period_start)
                select conversation_id, min(sent_at), max(sent_at), count(*), min(period_start)
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
            )
            update \(schema.quoted).conversations c
            set channel = coalesce(m.channel, c.channel),
                metadata = case when m.metadata is null then c.metadata else coalesce(c.metadata, '{}') || m.metadata end
            from merged m
            where c.id = m.id
            """)
    }
}
