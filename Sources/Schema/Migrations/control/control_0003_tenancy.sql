-- The life of tenants, the people who look after them, templates, and who did what.

-- A number that moves with every commit that changes what lanes remember of accounts, tenants, credentials and plans. A lane asks for it
-- before each batch, so that what was changed before a job was sent holds for that job.
create table tenantry.directory (
    version bigint not null
);
insert into tenantry.directory values (0);

create function tenantry.touch_directory() returns trigger
language plpgsql
as $$
begin
    update tenantry.directory set version = version + 1;
    return null;
end
$$;

-- Deferred to the commit: the one row is the last lock that a transaction takes, so nobody can wait for it in a circle.
create constraint trigger accounts_touch_directory
    after update of plan, state, timezone, billing_anchor_day, closed_through on tenantry.accounts
    deferrable initially deferred for each row execute function tenantry.touch_directory();
create constraint trigger credentials_touch_directory
    after update of scopes, secret_hash, expires_at, revoked_at or delete on tenantry.credentials
    deferrable initially deferred for each row when (old.role <> 'fleet') execute function tenantry.touch_directory();
create constraint trigger plan_limits_touch_directory
    after insert or update or delete on tenantry.plan_limits
    deferrable initially deferred for each row execute function tenantry.touch_directory();

alter table tenantry.tenants
    drop constraint tenants_state_check,
    add constraint tenants_state_check check (state in ('active', 'suspended', 'archived', 'purged')),
    add column created_by       text,          -- the job that made it: one that comes again knows its own
    add column suspended_at     timestamptz,   -- also while archived: what is restored is suspended again
    add column archived_at      timestamptz,
    add column purge_at         timestamptz,
    add column purged_at        timestamptz,
    add column has_erasures     boolean not null default false,
    add column last_active_at   timestamptz,   -- a user's last message, as of the last aggregation
    add column idle_notified_at timestamptz;
create index tenants_purge_at on tenantry.tenants (purge_at) where state = 'archived';

create index tenants_erasures on tenantry.tenants (slug) where has_erasures;

create constraint trigger tenants_touch_directory
    after update of plan, state, has_erasures on tenantry.tenants
    deferrable initially deferred for each row execute function tenantry.touch_directory();

-- What a purge took away, and that it is gone.
create table tenantry.purges (
    tenant         text primary key references tenantry.tenants (slug),
    account        text not null,
    schema_name    text not null,
    row_counts     jsonb not null,          -- by table
    schema_is_gone boolean not null check (schema_is_gone),
    purged_at      timestamptz not null default now()
);

-- Administrators, of an account (tenant null) or of one of its tenants.
create table tenantry.administrators (
    id            uuid primary key default gen_random_uuid(),
    account       text not null references tenantry.accounts (slug),
    tenant        text references tenantry.tenants (slug),
    email         text not null check (email = lower(email)),
    display_name  text not null,
    role          text not null check (role in ('account_admin', 'tenant_admin')),
    password_hash text,                     -- scrypt, with its parameters and salt; null: no password
    created_at    timestamptz not null default now(),
    check ((role = 'tenant_admin') = (tenant is not null))
);
create unique index administrators_once on tenantry.administrators (account, coalesce(tenant, ''), email);
create index administrators_email on tenantry.administrators (email);

alter table tenantry.credentials
    drop constraint credentials_role_check,
    add constraint credentials_role_check
        check (role in ('operator', 'fleet', 'account', 'account_admin', 'tenant_admin', 'token')),
    add column issued_by     text,          -- the token that handed it on: it is withdrawn with it
    add column administrator uuid references tenantry.administrators (id) on delete set null;
create index credentials_issued_by on tenantry.credentials (issued_by) where issued_by is not null;
create index credentials_administrator on tenantry.credentials (administrator) where administrator is not null;

-- Who did what, when, and by which job: a row for every administrative job that succeeded, in its transaction.
create table tenantry.audit_log (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default now(),
    account    text not null,               -- '' where no account is concerned
    tenant     text,
    credential text not null,               -- its key; the fleet's own duties: 'fleet'
    role       text not null,
    actor      text not null,               -- the credential's name, or the administrator's address, as it was then
    kind       text not null,
    job_id     text not null,
    details    jsonb not null
);
create index audit_log_account on tenantry.audit_log (account, id);

-- Settings and documents that tenants are given copies of.
create table tenantry.templates (
    account    text not null references tenantry.accounts (slug),
    name       text not null,
    settings   jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (account, name)
);

-- As a tenant's documents and chunks, to be copied column by column.
create table tenantry.template_documents (
    account       text not null,
    template      text not null,
    external_id   text not null,
    title         text not null,
    media_type    text not null,
    content_hash  text not null,
    content_bytes bigint not null,
    chunk_count   int not null,
    attributes    text not null,
    language      text,
    search_config text not null,
    segment       text,
    priority      int not null default 0,
    tags          text[] not null default '{}',
    metadata      jsonb,
    position      int not null,             -- its place in the template
    primary key (account, template, external_id),
    foreign key (account, template) references tenantry.templates (account, name) on delete cascade
);

create table tenantry.template_chunks (
    account     text not null,
    template    text not null,
    external_id text not null,
    position    int not null,
    heading     text not null,
    content     text not null,
    token_count int not null,
    search      tsvector not null,
    primary key (account, template, external_id, position),
    foreign key (account, template, external_id)
        references tenantry.template_documents (account, template, external_id) on delete cascade
);

alter table tenantry.tenant_usage add column changed_at timestamptz not null default now();
-- When the raw rows were last held against the counters; `aggregated_at` moves with the roll-ups of recent hours, too.
alter table tenantry.accounts add column recounted_at timestamptz not null default '-infinity';

-- What came after its own period was closed, and so was booked in a later one.
create table tenantry.late_usage (
    account      text not null,
    tenant       text not null,
    booked_start timestamptz not null,      -- the period whose counters have it
    period_start timestamptz not null,      -- the closed one that it belongs to
    messages     bigint not null default 0,
    tokens       bigint not null default 0,
    primary key (tenant, booked_start, period_start)
);
create index late_usage_account on tenantry.late_usage (account, period_start);

-- Erased messages: known again if their job comes again, and counted as they were.
create table tenantry.erased_messages (
    tenant text not null,
    digest bytea not null,                  -- SHA-256 of the message's id
    primary key (tenant, digest)
);

create table tenantry.erased_usage (
    tenant        text not null,
    period_start  timestamptz not null,     -- the period whose counters have it
    hour          timestamptz not null,     -- as in usage_hourly
    messages      bigint not null default 0,
    conversations bigint not null default 0,
    active_users  bigint not null default 0,    -- in this hour
    tokens        bigint not null default 0,
    period_users  bigint not null default 0,    -- of the period's distinct users
    primary key (tenant, period_start, hour)
);

-- As before, without tenants that are purged.
create or replace view tenantry.current_usage as
select s.account, s.tenant, l.metric, p.period_start, p.period_end,
       coalesce(case l.metric
           when 'messages' then flow.messages
           when 'conversations' then flow.conversations
           when 'active_users' then flow.active_users
           when 'tokens' then flow.tokens
           when 'child_tenants' then gauge.child_tenants
           when 'documents' then gauge.documents
           when 'corpus_bytes' then gauge.corpus_bytes
       end, 0) as value,
       l.limit_value
from (
    select slug as account, null::text as tenant from tenantry.accounts
    union all
    select account, slug from tenantry.tenants where state <> 'purged'
) s
join tenantry.accounts a on a.slug = s.account
cross join lateral tenantry.period(now(), a.timezone, a.billing_anchor_day) p
cross join lateral tenantry.limits_of(s.account, s.tenant) l
left join lateral (
    select messages, conversations, active_users, tokens from tenantry.tenant_usage u
    where u.tenant = s.tenant and u.period_start = p.period_start
    union all
    select messages, conversations, active_users, tokens from tenantry.account_usage u
    where s.tenant is null and u.account = s.account and u.period_start = p.period_start
) flow on true
left join lateral (
    select child_tenants, documents, corpus_bytes from tenantry.tenant_usage u
    where u.tenant = s.tenant and u.period_start = '-infinity'
    union all
    select child_tenants, documents, corpus_bytes from tenantry.account_usage u
    where s.tenant is null and u.account = s.account and u.period_start = '-infinity'
) gauge on true;
