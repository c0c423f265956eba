-- The plans that accounts on a plan may give to their tenants. None unless the plan says so: what a tenant pays is not its account's choice.
alter table tenantry.plans add column tenant_plans text[] not null default '{}';
