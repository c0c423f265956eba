-- Webhooks: URLs that are called with events, for whoever has no AMQP.

create table tenantry.webhooks (
    id            text primary key,
    account       text not null references tenantry.accounts (slug),
    tenant        text references tenantry.tenants (slug),  -- null: it gets what is the account's and all its tenants'
    url           text not null,
    events        text[] not null,          -- patterns
    expression    text not null,            -- all of them as one regular expression, over an event's name with a dot behind it
    description   text,
    state         text not null default 'enabled' check (state in ('enabled', 'disabled')),
    reason        text,                     -- why it is disabled
    failing_since timestamptz,              -- since when no attempt has succeeded
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create index webhooks_account on tenantry.webhooks (account, created_at desc, id desc);
create index webhooks_tenant on tenantry.webhooks (tenant) where tenant is not null;

-- What signs what is sent. Workers alone read it: a signature needs the secret itself.
create table tenantry.webhook_secrets (
    id      bigint generated always as identity primary key,
    webhook text not null references tenantry.webhooks (id) on delete cascade,
    secret  bytea not null,
    ends_at timestamptz                     -- null: it is the present one
);
create index webhook_secrets_webhook on tenantry.webhook_secrets (webhook);

-- Each event that some webhook is called with, once however many they are.
create table tenantry.webhook_events (
    id           uuid primary key,
    account      text not null,
    tenant       text,
    name         text not null,             -- its routing key without account and tenant
    content_type text not null,
    body         text not null,             -- as it is published over AMQP
    created_at   timestamptz not null default now()
);
create index webhook_events_created_at on tenantry.webhook_events (created_at);
create index webhook_events_tenant on tenantry.webhook_events (tenant) where tenant is not null;

create table tenantry.webhook_deliveries (
    id           bigint generated always as identity primary key,
    webhook      text not null references tenantry.webhooks (id) on delete cascade,
    event        uuid not null references tenantry.webhook_events (id) on delete cascade,
    state        text not null default 'pending' check (state in ('pending', 'succeeded', 'failed')),
    attempt      integer not null default 0,    -- how many there were since it was begun
    status       integer,                       -- the last answer's
    duration_ms  integer,
    error        text,
    attempted_at timestamptz,
    next_at      timestamptz,                   -- of the next attempt, after the first
    created_at   timestamptz not null default now(),
    unique (event, webhook)
);
create index webhook_deliveries_webhook on tenantry.webhook_deliveries (webhook, id desc);
-- The two lines of an endpoint: first attempts in order, and later ones when they are due.
create index webhook_deliveries_first on tenantry.webhook_deliveries (webhook, id) where state = 'pending' and attempt = 0;
create index webhook_deliveries_again on tenantry.webhook_deliveries (webhook, next_at) where state = 'pending' and attempt > 0;

-- Which worker has a line in its hands, until when.
create table tenantry.webhook_lines (
    webhook  text not null references tenantry.webhooks (id) on delete cascade,
    is_retry boolean not null,
    holder   text not null,
    until    timestamptz not null,
    primary key (webhook, is_retry)
);
