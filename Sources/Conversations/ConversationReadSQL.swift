internal import Postgres

/// How conversations and their messages are read.
enum ConversationReadSQL {
    /// The preview is the beginning of what the user said first.
    private static func columns(_ schema: String) -> String {
        """
        c.id, c.started_at, c.last_message_at, c.message_count, c.channel, c.metadata,
        (select left(m.content, 200) from \(schema).messages m
         where m.conversation_id = c.id and m.role = 'user' order by m.sent_at, m.id limit 1), c.opened_at
        """
    }

    /// `$1` from, `$2` to, `$3` channel, `$4` user, `$5` rating, `$6` words, `$7`, `$8` the place before, `$9` the most rows.
    ///
    /// A conversation was opened before its last message, so `$2` bounds the part of the index that is read. A user's conversations are few and
    /// are looked up one by one; those with a rating may be many, or none at all, so their ids are collected once. Words are looked for in one
    /// conversation after the other, the newest first, until there are enough.
    static func page(_ schema: Identifier) -> Statement {
        let schema = schema.quoted
        return Statement(
            """
            select \(columns(schema)) from \(schema).conversations c
            where (c.opened_at, c.id) < ($7::timestamptz, $8::text) and c.opened_at < coalesce($2::timestamptz, 'infinity')
              and ($1::timestamptz is null or c.last_message_at >= $1) and ($2 is null or c.last_message_at < $2)
              and ($3::text is null or c.channel = $3)
              and ($4::text is null or c.id = any(array(select distinct m.conversation_id from \(schema).messages m where m.user_id = $4)))
              and ($5::int8 is null or c.id in (select m.conversation_id from \(schema).messages m where m.rating = $5::int2))
              and ($6::text[] is null or not exists (
                  select from unnest($6) word
                  where not exists (
                      select from \(schema).messages m where m.conversation_id = c.id and strpos(lower(m.content), lower(word)) > 0)))
            order by c.opened_at desc, c.id desc limit $9
            """)
    }

    static func find(_ schema: Identifier) -> Statement {
        Statement("select \(columns(schema.quoted)) from \(schema.quoted).conversations c where c.id = $1")
    }

    /// `$1` the conversation, `$2`, `$3` the place before, `$4` the most rows.
    static func messages(_ schema: Identifier) -> Statement {
        Statement(
            """
            select id, conversation_id, role, user_id, content, sent_at, tokens_in, tokens_out, model, metadata, rating, rating_comment, rated_at
            from \(schema.quoted).messages
            where conversation_id = $1 and (sent_at, id) > ($2::timestamptz, $3::text) order by sent_at, id limit $4
            """)
    }
}
