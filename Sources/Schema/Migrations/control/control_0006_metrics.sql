-- A metric is added by one call, and the view that shows counters by their metric's name needs no change for it.

-- Whether tenants have it, too, or their account alone.
alter table tenantry.metrics add column is_for_tenants boolean not null default true;
update tenantry.metrics set is_for_tenants = false where name = 'child_tenants';

-- As before; which metrics tenants do not have is now said by `metrics`.
create or replace function tenantry.limits_of(of_account text, of_tenant text)
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
    where a.slug = of_account and (of_tenant is null or m.is_for_tenants)
$$;

-- As before; a metric's value is looked up by its name. One row of counters is made into JSON for each subject, not for each metric.
create or replace view tenantry.current_usage as
select s.account, s.tenant, l.metric, p.period_start, p.period_end,
       coalesce((case when m.is_gauge then gauge.counters else flow.counters end ->> l.metric)::bigint, 0) as value,
       l.limit_value
from (
    select slug as account, null::text as tenant from tenantry.accounts
    union all
    select account, slug from tenantry.tenants where state <> 'purged'
) s
join tenantry.accounts a on a.slug = s.account
cross join lateral tenantry.period(now(), a.timezone, a.billing_anchor_day) p
left join lateral (
    select to_jsonb(u) as counters from tenantry.tenant_usage u
    where u.tenant = s.tenant and u.period_start = p.period_start
    union all
    select to_jsonb(u) from tenantry.account_usage u
    where s.tenant is null and u.account = s.account and u.period_start = p.period_start
) flow on true
left join lateral (
    select to_jsonb(u) as counters from tenantry.tenant_usage u
    where u.tenant = s.tenant and u.period_start = '-infinity'
    union all
    select to_jsonb(u) from tenantry.account_usage u
    where s.tenant is null and u.account = s.account and u.period_start = '-infinity'
) gauge on true
cross join lateral tenantry.limits_of(s.account, s.tenant) l
join tenantry.metrics m on m.name = l.metric;

-- For migrations: a metric with its columns in the three tables of counters. Its name is that of a case of `Metric`, in the same order.
-- An `alert_at` of 0 has every row measured at its next booking, by which time the plans may have limits for it.
create function tenantry.add_metric(name text, is_gauge boolean, default_mode text, is_for_tenants boolean default true)
returns void
language plpgsql
as $$
declare
    counters text;
begin
    insert into tenantry.metrics (name, position, is_gauge, default_mode, is_for_tenants)
    select add_metric.name, max(m.position) + 1, add_metric.is_gauge, add_metric.default_mode, add_metric.is_for_tenants
    from tenantry.metrics m;
    foreach counters in array array['tenant_usage', 'account_usage', 'usage_deltas'] loop
        execute format('alter table tenantry.%I add column %I bigint not null default 0', counters, name);
    end loop;
    execute format('alter table tenantry.account_usage add column %I bigint default 0', name || '_alert_at');
    execute format(
        'alter table tenantry.tenant_usage add column %I bigint%s', name || '_alert_at', case when is_for_tenants then ' default 0' end);
end
$$;
