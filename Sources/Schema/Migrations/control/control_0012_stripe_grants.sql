-- Which account a Stripe account belongs to. The platform's key may act for every connected account, so whoever names one first must not thereby
-- own it: invoices go only through one that an operator has granted to the tenant's account.
create table tenantry.stripe_grants (
    stripe_account text primary key check (stripe_account <> ''),
    account        text not null references tenantry.accounts (slug) on delete cascade,
    granted_by     text not null,
    granted_at     timestamptz not null default now()
);

-- What is in use today was one account's alone, and stays so.
insert into tenantry.stripe_grants (stripe_account, account, granted_by)
select stripe_account, min(account), 'migration' from tenantry.tenants
where stripe_account <> '' and state <> 'purged'
group by stripe_account;
