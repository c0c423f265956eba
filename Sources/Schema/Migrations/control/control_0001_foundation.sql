-- The control schema: who may do what, what is metered, and what is on its way out.
-- Accounts and tenants are keyed by their slugs: slugs never change, are unique over the platform, and make every row readable.

-- What is metered. `is_gauge`: a level that carries over from period to period, not a flow counted within one.
create table tenantry.metrics (
    name         text primary key,
    position     int not null unique,
    is_gauge     boolean not null,
    default_mode text not null check (default_mode in ('soft', 'hard'))
);
insert into tenantry.metrics (name, position, is_gauge, default_mode) values
    ('messages',      1, false, 'soft'),
    ('conversations', 2, false, 'soft'),
    ('active_users',  3, false, 'soft'),
    ('tokens',        4, false, 'soft'),
    ('child_tenants', 5, true,  'hard'),
    ('documents',     6, true,  'hard'),
    ('corpus_bytes',  7, true,  'hard');

create table tenantry.plans (
    name         text primary key,
    display_name text not null,
    thresholds   int[] not null,   -- percent of a limit, ascending; every further 100 % follows by itself
    updated_at   timestamptz not null default now()
);

-- A metric without a row here, or with a null limit_value, is unlimited in the plan.
create table tenantry.plan_limits (
    plan        text not null references tenantry.plans (name) on delete cascade,
    metric      text not null references tenantry.metrics (name),
    limit_value bigint check (limit_value >= 0),
    mode        text not null check (mode in ('soft', 'hard')),
    primary key (plan, metric)
);

create table tenantry.accounts (
    slug               text primary key check (slug ~ '^[a-z][a-z0-9-]{1,39}$'),
    display_name       text not null,
    plan               text not null references tenantry.plans (name),
    state              text not null default 'active' check (state in ('active', 'suspended')),
    timezone           text not null default 'UTC',
    billing_anchor_day int not null default 1 check (billing_anchor_day between 1 and 31),
    slug_prefix        text,
    closed_through     timestamptz not null default '-infinity',   -- usage of an earlier time is booked in the open period
    aggregated_at      timestamptz not null default '-infinity',
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now()
);

create table tenantry.tenants (
    slug           text primary key check (slug ~ '^[a-z][a-z0-9-]{1,39}$'),
    account        text not null references tenantry.accounts (slug),
    schema_name    text not null unique,
    display_name   text not null,
    plan           text references tenantry.plans (name),          -- null: inherited from the account
    environment    text not null default 'production',
    billing_mode   text not null default 'consolidated' check (billing_mode in ('consolidated', 'separate')),
    stripe_account text,
    state          text not null default 'active' check (state in ('active', 'suspended', 'archived')),
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now()
);
create index tenants_account on tenantry.tenants (account);

-- Limits of an account's (tenant = '') or a tenant's own, laid over its plan's. A null limit_value lifts the limit.
create table tenantry.custom_limits (
    account     text not null references tenantry.accounts (slug),
    tenant      text not null default '',
    metric      text not null references tenantry.metrics (name),
    limit_value bigint check (limit_value >= 0),
    primary key (account, tenant, metric)
);

-- Secrets are 256 random bits, so one SHA-256 is as good a hash as a slow one; the secret itself is never stored.
create table tenantry.credentials (
    key         text primary key,
    role        text not null check (role in ('operator', 'fleet', 'account', 'token')),
    account     text references tenantry.accounts (slug),
    tenant      text references tenantry.tenants (slug),
    name        text not null,
    scopes      text[] not null default '{}',
    secret_hash bytea not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null default 'infinity',
    revoked_at  timestamptz,
    check ((role in ('operator', 'fleet')) = (account is null))
);
create index credentials_owner on tenantry.credentials (account, name);

-- The first answer of every job that succeeded, kept in the transaction of its effect.
create table tenantry.inbox (
    account    text not null,          -- '' for an operator's jobs
    job_id     text not null,
    kind       text not null,
    tenant     text not null,          -- '' for a job on none
    result     jsonb not null,
    created_at timestamptz not null default now(),
    primary key (account, job_id)
);
create index inbox_created_at on tenantry.inbox using brin (created_at);

-- Messages that a committed effect wants published. The leader publishes them, confirmed, and deletes them.
create table tenantry.outbox (
    id           bigint generated always as identity primary key,
    exchange     text not null,
    routing_key  text not null,
    message_id   text not null,
    type         text not null,
    content_type text not null,
    body         text not null,
    alert        uuid,
    next_at      timestamptz not null default now(),   -- later, where a subscriber's queue refused it
    created_at   timestamptz not null default now()
);

-- Jobs that came back: how often one was begun and not finished. The more often, the fewer it is tried together with.
create table tenantry.suspects (
    job        text primary key,
    begun      int not null,
    updated_at timestamptz not null default now()
);

create table tenantry.workers (
    id          text primary key,
    host        text not null,
    pid         int not null,
    families    text[] not null,
    lanes       int not null,
    leads       boolean not null default false,
    state       text not null default 'running',
    jobs        bigint not null default 0,
    rejected    bigint not null default 0,
    retried     bigint not null default 0,
    jobs_per_second double precision not null default 0,
    started_at  timestamptz not null default now(),
    seen_at     timestamptz not null default now()
);

-- The billing period that contains a moment: half-open, from the anchor day (or the month's last day where it is shorter)
-- at midnight in the account's zone. The one definition of a period; the fleet asks it and remembers the answers.
create function tenantry.period(at timestamptz, zone text, anchor_day int)
returns table (period_start timestamptz, period_end timestamptz)
language sql stable
as $$
    -- Compared as instants, not as local dates: at midnight a clock may be put back, and the same local hour come twice.
    with local as (
        select date_trunc('month', (at at time zone zone)::date)::date as first
    ), edges as (
        select (month + least(anchor_day, (month + interval '1 month')::date - month) - 1)::timestamp at time zone zone as edge
        from local
        cross join lateral (select (first + make_interval(months => k))::date as month from generate_series(-1, 2) as k) months
    )
    select max(edge) filter (where edge <= at), min(edge) filter (where edge > at) from edges
$$;
