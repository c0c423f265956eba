-- Prices, and the invoices of finished periods.

-- What a plan costs, in the shape of `price` in plans.yaml; null: nothing. Read as a whole, and kept as it was with every invoice made by it.
alter table tenantry.plans add column price jsonb;

-- One for the account and period, and one more for each tenant that is billed separately. All amounts are in the currency's smallest unit.
create table tenantry.invoices (
    id              text primary key,       -- acme.2026-10, or acme.acme-shop.2026-10: slugs have no dots
    account         text not null references tenantry.accounts (slug),
    tenant          text references tenantry.tenants (slug),    -- null: the account's own
    period          text not null,          -- YYYY-MM: the month in which the period starts
    period_start    timestamptz not null,
    period_end      timestamptz not null,
    bill_to         text not null,          -- the account's or tenant's name, as it was then
    email           text,
    plan            text not null,
    terms           jsonb,                  -- the plan's price, as it was then
    has_own_volume  boolean not null,       -- a tenant by a plan of its own; the others' usage is priced together
    currency        text not null,          -- ISO 4217's code for none where there is no price
    base_amount       bigint not null,
    usage_amount      bigint not null,
    adjustment_amount bigint not null,
    total           bigint not null check (total = base_amount + usage_amount + adjustment_amount),
    note            text,                   -- what is to be known of it: why it is not sent, for one
    stripe_account  text,
    delivery        text not null check (delivery in ('none', 'pending', 'sent', 'failed')),
    -- How far its delivery is. What Stripe calls it is kept as soon as it is known, so that the next attempt goes on from there.
    stripe_customer text,
    stripe_invoice  text,
    -- What an earlier round made, and where: it is asked for before there is another one, for it may have been made final.
    earlier_invoice text,
    earlier_account text,
    days_until_due  int,
    round           int not null default 1, -- raised by `tenantry invoice retry`: a refused request needs an idempotency key of its own
    attempts        int not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error      text,
    sent_at         timestamptz,
    created_at      timestamptz not null default now(),
    check (tenant is not null or not has_own_volume)
);
-- Closing a period again finds what is there, also when the account's calendar was changed meanwhile.
create unique index invoices_once on tenantry.invoices (account, coalesce(tenant, ''), period);
create index invoices_due on tenantry.invoices (next_attempt_at) where delivery = 'pending';
create index invoices_pending on tenantry.invoices (stripe_account, tenant, created_at) where delivery = 'pending';
create index invoices_period on tenantry.invoices (period);

create table tenantry.invoice_lines (
    invoice       text not null references tenantry.invoices (id),
    position      int not null,
    kind          text not null check (kind in ('base', 'usage', 'adjustment')),
    account       text not null,
    tenant        text,                     -- null: the base price of the account
    metric        text references tenantry.metrics (name),
    period        text not null,            -- of an adjustment: the earlier one that it corrects
    period_start  timestamptz not null,
    period_end    timestamptz not null,
    quantity      bigint not null,
    amount        bigint not null,
    is_own_volume boolean not null,         -- priced by itself, not with the account's
    description   text not null,
    stripe_item   text,
    primary key (invoice, position),
    check ((kind = 'base') = (metric is null))
);
create index invoice_lines_account on tenantry.invoice_lines (account, period);

-- Who a tenant is at Stripe, in each Stripe account that it was billed through.
create table tenantry.stripe_customers (
    tenant         text not null references tenantry.tenants (slug),
    stripe_account text not null,
    customer       text not null,
    created_at     timestamptz not null default now(),
    primary key (tenant, stripe_account)
);

-- By what an account or tenant is billed, and since when. A period is billed by what held when it ended, whenever it is closed.
create table tenantry.billing_terms (
    account      text not null references tenantry.accounts (slug),
    tenant       text not null,             -- '': the account's own
    since        timestamptz not null,
    plan         text references tenantry.plans (name),     -- null: a tenant's that is on its account's
    billing_mode text,                      -- null: an account has none
    primary key (account, tenant, since)
);
create index billing_terms_plan on tenantry.billing_terms (plan);

insert into tenantry.billing_terms select slug, '', created_at, plan, null from tenantry.accounts;
insert into tenantry.billing_terms select account, slug, created_at, plan, billing_mode from tenantry.tenants;

-- By triggers, so that nobody who changes a plan can forget it. By the clock, not by the transaction's start: whoever changes a row later
-- has the later terms.
create function tenantry.note_account_terms() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into tenantry.billing_terms values (new.slug, '', new.created_at, new.plan, null);
    elsif new.plan is distinct from old.plan then
        insert into tenantry.billing_terms values (new.slug, '', clock_timestamp(), new.plan, null);
    end if;
    return null;
end
$$;
create function tenantry.note_tenant_terms() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into tenantry.billing_terms values (new.account, new.slug, new.created_at, new.plan, new.billing_mode);
    elsif (new.plan, new.billing_mode) is distinct from (old.plan, old.billing_mode) then
        insert into tenantry.billing_terms values (new.account, new.slug, clock_timestamp(), new.plan, new.billing_mode);
    end if;
    return null;
end
$$;
create trigger accounts_note_terms after insert or update of plan on tenantry.accounts
    for each row execute function tenantry.note_account_terms();
create trigger tenants_note_terms after insert or update of plan, billing_mode on tenantry.tenants
    for each row execute function tenantry.note_tenant_terms();

-- The terms at the end of a period; the first ones of whoever was not there yet.
create function tenantry.terms_before(account text, tenant text, ending timestamptz)
returns table (plan text, billing_mode text)
language sql stable
as $$
    select b.plan, b.billing_mode from tenantry.billing_terms b
    where b.account = terms_before.account and b.tenant = terms_before.tenant
    order by b.since < ending desc, case when b.since < ending then b.since end desc, b.since limit 1
$$;

-- A Stripe account is used by one account's tenants alone.
create index tenants_stripe_account on tenantry.tenants (stripe_account) where stripe_account is not null;
