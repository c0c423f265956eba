-- Usage, limits and alerts.
-- One wide row per subject and period: a batch touches each tenant's counters once, however many metrics move.
-- Gauges stand in a row of their own, from -infinity to infinity. `<metric>_alert_at` is the value at which the next threshold lies:
-- 0 asks for an evaluation (a new row, a changed limit), null says that nothing can be crossed. So the common case compares and is done.

create table tenantry.tenant_usage (
    tenant                 text not null,
    period_start           timestamptz not null,
    period_end             timestamptz not null,
    account                text not null,
    messages               bigint not null default 0,
    conversations          bigint not null default 0,
    active_users           bigint not null default 0,
    tokens                 bigint not null default 0,
    child_tenants          bigint not null default 0,
    documents              bigint not null default 0,
    corpus_bytes           bigint not null default 0,
    messages_alert_at      bigint default 0,
    conversations_alert_at bigint default 0,
    active_users_alert_at  bigint default 0,
    tokens_alert_at        bigint default 0,
    child_tenants_alert_at bigint,
    documents_alert_at     bigint default 0,
    corpus_bytes_alert_at  bigint default 0,
    primary key (tenant, period_start)
) with (fillfactor = 60);
create index tenant_usage_account on tenantry.tenant_usage (account, period_start);

-- The pools: what all tenants of an account used together. Only the leader writes here, from the deltas below, so that
-- thousands of tenants do not queue for one row.
create table tenantry.account_usage (
    account                text not null,
    period_start           timestamptz not null,
    period_end             timestamptz not null,
    messages               bigint not null default 0,
    conversations          bigint not null default 0,
    active_users           bigint not null default 0,
    tokens                 bigint not null default 0,
    child_tenants          bigint not null default 0,
    documents              bigint not null default 0,
    corpus_bytes           bigint not null default 0,
    messages_alert_at      bigint default 0,
    conversations_alert_at bigint default 0,
    active_users_alert_at  bigint default 0,
    tokens_alert_at        bigint default 0,
    child_tenants_alert_at bigint default 0,
    documents_alert_at     bigint default 0,
    corpus_bytes_alert_at  bigint default 0,
    changed_at             timestamptz not null default now(),
    primary key (account, period_start)
) with (fillfactor = 60);

-- What committed batches added to their accounts' pools and the leader has not yet swept up.
create table tenantry.usage_deltas (
    id            bigint generated always as identity primary key,
    account       text not null,
    period_start  timestamptz not null,
    period_end    timestamptz not null,
    messages      bigint not null default 0,
    conversations bigint not null default 0,
    active_users  bigint not null default 0,
    tokens        bigint not null default 0,
    child_tenants bigint not null default 0,
    documents     bigint not null default 0,
    corpus_bytes  bigint not null default 0
);

-- Every published alert has a row: at most one that fired and one that resolved per subject, metric, period and threshold.
create table tenantry.alerts (
    id                uuid primary key,
    account           text not null,
    tenant            text,                 -- null: the account's pool
    metric            text not null references tenantry.metrics (name),
    threshold_percent int not null,
    state             text not null check (state in ('warning', 'breached', 'resolved')),
    value             bigint not null,
    previous_value    bigint not null,
    limit_value       bigint,               -- null: the limit was lifted
    mode              text not null,
    plan              text not null,
    period_start      timestamptz not null,
    period_end        timestamptz not null,
    routing_key       text not null,
    event             text not null,        -- the CloudEvent as it was published
    created_at        timestamptz not null default now(),
    published_at      timestamptz
);
create unique index alerts_once on tenantry.alerts
    (account, coalesce(tenant, ''), metric, period_start, threshold_percent, (state = 'resolved'));
create index alerts_created_at on tenantry.alerts (created_at);

-- The limits that hold for a subject: its plan's, overlaid by its own. A tenant is measured against a plan only where it has one of its own.
create function tenantry.limits_of(of_account text, of_tenant text)
returns table (metric text, limit_value bigint, mode text, plan text, thresholds int[])
language sql stable
as $$
    select m.name,
           case when custom.metric is null then own.limit_value else custom.limit_value end,
           coalesce(own.mode, inherited.mode, m.default_mode),
           plans.name, plans.thresholds
    from tenantry.accounts a
    left join tenantry.tenants t on t.slug = of_tenant
    join tenantry.plans on plans.name = coalesce(t.plan, a.plan)
    cross join tenantry.metrics m
    left join tenantry.plan_limits own
        on own.plan = (case when of_tenant is null then a.plan else t.plan end) and own.metric = m.name
    left join tenantry.plan_limits inherited on inherited.plan = a.plan and inherited.metric = m.name
    left join tenantry.custom_limits custom
        on custom.account = of_account and custom.tenant = coalesce(of_tenant, '') and custom.metric = m.name
    where a.slug = of_account and (of_tenant is null or m.name <> 'child_tenants')
$$;

-- What is used now, with a row for every subject and metric, also where nothing has happened yet.
create view tenantry.current_usage as
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
    select account, slug from tenantry.tenants
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
