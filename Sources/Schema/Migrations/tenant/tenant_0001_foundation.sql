-- One tenant's own data. {schema} is replaced by the tenant's quoted schema name; every name is written with its schema.

create schema {schema};

create table {schema}.conversations (
    id              text primary key,
    started_at      timestamptz not null,
    last_message_at timestamptz not null,
    message_count   bigint not null,
    period_start    timestamptz not null,   -- the billing period that counts it: that of the first message that came
    channel         text,
    metadata        jsonb
) with (fillfactor = 80);

create table {schema}.messages (
    id              text primary key,       -- the producer's id: a message that comes twice is one row
    conversation_id text not null,
    role            text not null,
    user_id         text,
    content         text not null,
    sent_at         timestamptz not null,
    period_start    timestamptz not null,   -- the billing period that it is booked in
    tokens_in       bigint,
    tokens_out      bigint,
    model           text,
    metadata        jsonb
);
create index messages_conversation on {schema}.messages (conversation_id, sent_at);

-- Exact distinct users: a row is a user's first message in a period.
create table {schema}.active_users (
    period_start timestamptz not null,
    user_id      text not null,
    primary key (period_start, user_id)
);

create table {schema}.documents (
    external_id   text primary key,
    title         text not null,
    media_type    text not null,
    content_hash  text not null,            -- SHA-256 of the content's bytes, hexadecimal
    content_bytes bigint not null,
    chunk_count   int not null,
    attributes    text not null,            -- all the below as it was sent: equal when nothing has changed
    language      text,                     -- as the producer named it (BCP 47)
    search_config text not null,            -- PostgreSQL's text search configuration of its chunks
    segment       text,
    priority      int not null default 0,
    tags          text[] not null default '{}',
    metadata      jsonb,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create index documents_content_hash on {schema}.documents (content_hash);

create table {schema}.chunks (
    external_id text not null references {schema}.documents (external_id) on delete cascade,
    position    int not null,
    heading     text not null,              -- the path of headings above it, joined by ' > '
    content     text not null,
    token_count int not null,
    search      tsvector not null,
    document    text generated always as (external_id) stored,
    primary key (external_id, position)
);
create index chunks_search on {schema}.chunks using gin (search);

create table {schema}.settings (
    key   text primary key,
    value jsonb not null
);

create table {schema}.usage_hourly (
    hour   timestamptz not null,
    metric text not null,
    value  bigint not null,
    primary key (hour, metric)
);
