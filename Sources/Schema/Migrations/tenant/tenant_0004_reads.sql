-- What lists of conversations are read by.

-- When a conversation began, by what was known when its first message came. `started_at` is moved back by an earlier message that comes later,
-- `last_message_at` moves on with each message; in a list that is read page by page nothing may change its place. It is never later than
-- `last_message_at`: an erasure, which moves that back, takes this along.
alter table {schema}.conversations add column opened_at timestamptz;
update {schema}.conversations set opened_at = started_at;
alter table {schema}.conversations alter column opened_at set not null, alter column opened_at set default now();
create index conversations_opened on {schema}.conversations (opened_at, id);

-- Few messages are rated, so this costs nothing when they come.
create index messages_rating on {schema}.messages (rating, conversation_id) where rating is not null;
