-- A message's rating, and a cheap way to the messages of a span of time.

alter table {schema}.messages
    add column rating         smallint check (rating in (-1, 1)),
    add column rating_comment text,
    add column rated_at       timestamptz;

-- Messages come roughly in the order of their time, so a summary for every few pages is enough, and costs an insert next to nothing.
create index messages_time on {schema}.messages using brin (sent_at, period_start);
