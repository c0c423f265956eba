-- Dead letters: a row for each, beside the letter in the queue.

-- What a worker seals dead letters with, so that they can be replayed without the secret of the credential that they came with.
create table tenantry.seal (
    is_only boolean primary key default true check (is_only),
    secret bytea not null
);
insert into tenantry.seal (secret)
select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

create table tenantry.dead_letters (
    -- The letter's header x-tenantry-letter.
    id uuid primary key,
    job_id text not null,
    kind text not null,
    -- '' where the credential did not hold, or was an operator's.
    account text not null,
    tenant text,
    -- The credential's key; '' for none.
    key text not null,
    code text not null,
    message text not null,
    field text,
    attempts bigint not null,
    failed_at timestamptz not null,
    -- Of the job, as it was sent.
    body_bytes bigint not null,
    is_sealed boolean not null,
    -- JSON Pointers, separated by spaces.
    redacted text not null default '',
    -- When the leader last saw the letter in the queue, or looked into it after an erasure.
    seen_at timestamptz
);
create index dead_letters_failed_at on tenantry.dead_letters (failed_at, id);
create index dead_letters_job_id on tenantry.dead_letters (job_id);
create index dead_letters_tenant on tenantry.dead_letters (tenant) where tenant is not null;

-- What was erased, for letters that lie in the queue or are still on their way there.
create table tenantry.dead_letter_erasures (
    id bigint primary key generated always as identity,
    tenant text not null,
    -- conversation_id or user_id; null: everything of the tenant.
    field text check (field in ('conversation_id', 'user_id')),
    -- SHA-256 of the id.
    digest bytea,
    asked_at timestamptz not null default clock_timestamp()
);
create index dead_letter_erasures_tenant on tenantry.dead_letter_erasures (tenant, asked_at);
