-- The orders in which lists are read page by page: each list has one that no update changes.

-- The tenants of an account, by name.
drop index tenantry.tenants_account;
create index tenants_account on tenantry.tenants (account, slug);

-- Newest first, of all accounts and of one.
drop index tenantry.alerts_created_at;
create index alerts_created_at on tenantry.alerts (created_at, id);
create index alerts_account on tenantry.alerts (account, created_at, id);
create index invoices_created_at on tenantry.invoices (created_at, id);
create index invoices_account on tenantry.invoices (account, created_at, id);
create index audit_log_tenant on tenantry.audit_log (tenant, id) where tenant is not null;

-- Tokens are the only credentials that are listed.
create index credentials_tokens on tenantry.credentials (account, created_at, key) where role = 'token';
create index credentials_tenant_tokens on tenantry.credentials (tenant, created_at, key) where role = 'token' and tenant is not null;

-- An account's people and those of its tenants, by address.
create index administrators_account on tenantry.administrators (account, email, (coalesce(tenant, '')));
