-- Distinct users of each day, and what the account has of this tenant's past.

create table {schema}.usage_daily (
    day          timestamptz primary key,   -- where it begins on the account's clock
    active_users bigint not null
);

-- Conversations by the hour that counts them.
create index conversations_counted on {schema}.conversations (greatest(started_at, period_start));

insert into {schema}.usage_daily (day, active_users)
select tenantry.day_of(m.sent_at, a.timezone), count(distinct m.user_id)
from {schema}.messages m
join pg_catalog.pg_class c on c.oid = m.tableoid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join tenantry.tenants t on t.schema_name = n.nspname
join tenantry.accounts a on a.slug = t.account
where m.user_id is not null
group by 1;

-- In the order of their keys: tenants of one account are migrated beside each other.
insert into tenantry.account_usage_daily as u (account, day, active_users)
select t.account, d.day, d.active_users
from {schema}.usage_daily d
join pg_catalog.pg_class c on c.oid = d.tableoid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join tenantry.tenants t on t.schema_name = n.nspname
order by d.day
on conflict (account, day) do update set active_users = u.active_users + excluded.active_users;

insert into tenantry.account_usage_hourly as u (account, hour, metric, value)
select t.account, h.hour, h.metric, h.value
from {schema}.usage_hourly h
join pg_catalog.pg_class c on c.oid = h.tableoid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join tenantry.tenants t on t.schema_name = n.nspname
order by h.hour, h.metric
on conflict (account, hour, metric) do update set value = u.value + excluded.value;
