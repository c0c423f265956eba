-- Who leads the fleet, and who does which of the leader's duties: for a time, and under a number that tells an earlier holder from a later one.

create table tenantry.leases (
    name text primary key,
    -- The worker's id.
    holder text not null,
    -- Grows with each change of the holder.
    token bigint not null,
    expires_at timestamptz not null
);

-- Ends the transaction of a holder that is none any more.
create function tenantry.require_lease(name text, token bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (
        select from tenantry.leases l
        where l.name = require_lease.name and l.token = require_lease.token and l.expires_at > clock_timestamp()
    ) then
        raise exception 'the lease of % under number % is over', name, token using errcode = 'TN001';
    end if;
end $$;
revoke execute on function tenantry.require_lease(text, bigint) from public;

-- What keeps a worker from taking jobs, in its own words; empty if nothing does. And what it has in hand.
alter table tenantry.workers
    add column problems text[] not null default '{}',
    add column in_hand bigint not null default 0,
    add column oldest_seconds double precision not null default 0;
