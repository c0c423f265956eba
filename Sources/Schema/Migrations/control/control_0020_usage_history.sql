-- How an account's usage is spread over time, summed up over its tenants: the history of ten thousand of them is read from one place.

-- What the hours in all of the account's `<tenant>.usage_hourly` come to. Whoever changes those adds the difference here, in one transaction.
-- What a tenant used stays when the tenant is purged.
create table tenantry.account_usage_hourly (
    account text not null,
    hour    timestamptz not null,
    metric  text not null,
    value   bigint not null,
    primary key (account, hour, metric)
);

-- The same for `<tenant>.usage_daily`: the distinct users of a day, which hours don't add up to.
create table tenantry.account_usage_daily (
    account      text not null,
    day          timestamptz not null,
    active_users bigint not null,
    primary key (account, day)
);

create index late_usage_booked on tenantry.late_usage (account, booked_start);

-- Where the day of a moment begins in a zone. At midnight a clock may be put back, and the same local time come twice: such a day begins with
-- the second, as billing periods do, and what lies between belongs to the day before.
create function tenantry.day_of(at timestamptz, zone text) returns timestamptz
language sql stable
as $$
    select case when date_trunc('day', at, zone) > at then date_trunc('day', at - interval '1 day', zone)
                else date_trunc('day', at, zone) end
$$;
