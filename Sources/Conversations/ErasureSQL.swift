internal import Postgres

/// The statements of `conversation.erase`. Each is one statement, so that all its parts see the same rows: those from before.
/// `$1` is the tenant, `$2` its time zone, `$3` whom or what to erase. They answer with the messages, conversations and active users deleted.
enum ErasureSQL {
    /// One conversation with all its messages. That its users were active in a period stays known.
    static func conversation(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return erase(
            schema, whole: "select id from \(schema).conversations where id = $3", messages: "m.conversation_id = $3",
            users: "false")
    }

    /// A user: conversations without any other user, the user's own messages in the rest, and that the user was active.
    static func user(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return erase(
            schema,
            whole: """
                select own.conversation_id as id
                from (select distinct conversation_id from \(schema).messages where user_id = $3) own
                where not exists (select from \(schema).messages m
                    where m.conversation_id = own.conversation_id and m.user_id <> $3)
                """,
            messages: "m.user_id = $3 or m.conversation_id in (select id from whole)", users: "user_id = $3")
    }

    private static func erase(_ schema: String, whole: String, messages: String, users: String) -> Statement {
        Statement(
            """
            with whole as materialized (
                \(whole)
            ), doomed as materialized (
                select m.id, m.conversation_id, m.user_id, m.period_start, date_trunc('hour', m.sent_at, $2) as hour,
                       coalesce(m.tokens_in, 0) + coalesce(m.tokens_out, 0) as tokens
                from \(schema).messages m where \(messages)
            ), \(conversations(schema)), \(usersOfHours(schema)), gone_messages as (
                delete from \(schema).messages where id in (select id from doomed)
            ), gone_conversations as (
                delete from \(schema).conversations where id in (select id from whole) returning period_start, started_at
            ), changed as (
                update \(schema).conversations c set message_count = p.message_count, last_message_at = p.last_message_at,
                    opened_at = least(c.opened_at, p.last_message_at)
                from parts p where c.id = p.id
            ), gone_users as (
                delete from \(schema).active_users where \(users) returning period_start
            ), \(kept)
            select (select count(*) from doomed), (select count(*) from gone_conversations), (select count(*) from gone_users)
            """)
    }

    /// `parts`: conversations of which something is left, as they will be. The time at which one began is kept: it stays counted in that hour.
    private static func conversations(_ schema: String) -> String {
        """
        parts as materialized (
            select d.conversation_id as id, rest.*
            from (select distinct conversation_id from doomed where conversation_id not in (select id from whole)) d
            cross join lateral (
                select count(*) as message_count, max(m.sent_at) as last_message_at
                from \(schema).messages m where m.conversation_id = d.conversation_id and m.id not in (select id from doomed)
            ) rest
        )
        """
    }

    /// `hour_users`: in which hours a user is not seen any more.
    private static func usersOfHours(_ schema: String) -> String {
        """
        spoke as (
            select hour, user_id, min(period_start) as period_start from doomed where user_id is not null group by hour, user_id
        ), hour_users as (
            select s.period_start, s.hour from spoke s
            where (s.hour, s.user_id) not in (
                select date_trunc('hour', m.sent_at, $2), m.user_id from \(schema).messages m
                where m.sent_at >= (select min(hour) from spoke) and m.sent_at < (select max(hour) from spoke) + interval '2 hours'
                  and m.user_id in (select user_id from spoke) and m.id not in (select id from doomed))
        )
        """
    }

    /// What stays: numbers and digests.
    private static let kept = """
        counts as (
            select period_start, hour, 1 as messages, 0 as conversations, 0 as active_users, tokens, 0 as period_users from doomed
            union all
            select c.period_start, date_trunc('hour', greatest(c.started_at, c.period_start), $2), 0, 1, 0, 0, 0 from gone_conversations c
            union all
            select period_start, hour, 0, 0, 1, 0, 0 from hour_users
            union all
            select period_start, period_start, 0, 0, 0, 0, 1 from gone_users
        ), usage as (
            insert into tenantry.erased_usage as u
                (tenant, period_start, hour, messages, conversations, active_users, tokens, period_users)
            select $1, period_start, hour, sum(messages), sum(conversations), sum(active_users), sum(tokens), sum(period_users)
            from counts group by period_start, hour
            having sum(messages) <> 0 or sum(conversations) <> 0 or sum(active_users) <> 0 or sum(tokens) <> 0 or sum(period_users) <> 0
            on conflict (tenant, period_start, hour) do update
            set messages = u.messages + excluded.messages, conversations = u.conversations + excluded.conversations,
                active_users = u.active_users + excluded.active_users, tokens = u.tokens + excluded.tokens,
                period_users = u.period_users + excluded.period_users
        ), digests as (
            insert into tenantry.erased_messages (tenant, digest)
            select $1, sha256(convert_to(id, 'UTF8')) from doomed
            on conflict do nothing
        ), known as (
            update tenantry.tenants set has_erasures = true
            where slug = $1 and not has_erasures and exists (select from doomed)
        )
        """
}
