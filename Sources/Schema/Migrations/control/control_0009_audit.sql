-- What is on record beside the jobs that succeeded.

-- Jobs that were refused, and sign-ins, counted by the minute, so that whoever tries again and again does not fill the log.
create table tenantry.refused_jobs (
    minute  timestamptz not null,
    -- A kind, or admin.sign_in; '' for a kind that there is none.
    kind    text not null,
    code    text not null,
    -- The key of the credential, of a sign-in the address; '' where the credential does not hold.
    key     text not null,
    account text not null default '',
    jobs    bigint not null,
    primary key (minute, kind, code, key)
);

-- Forgets what is older than 90 days, and nothing else: workers may not delete for themselves.
create function tenantry.forget_refused_jobs() returns void
language sql security definer
set search_path = pg_catalog, pg_temp
as $$ delete from tenantry.refused_jobs where minute < now() - interval '90 days' $$;

-- Puts on record that somebody has read what is a tenant's. For roles that may only read: the kind is one of two, and the rest is bounded.
create function tenantry.record_reading(kind text, tenant text, actor text, details jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if kind is null or kind not in ('tenant.export', 'corpus.search') then
        raise invalid_parameter_value using message = 'only tenant.export and corpus.search are recorded here';
    end if;
    if length(actor) > 200 or pg_column_size(details) > 8192 then
        raise invalid_parameter_value using message = 'the actor or the details are too long';
    end if;
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    select t.account, t.slug, session_user, 'operator', actor, record_reading.kind, '', details
    from tenantry.tenants t where t.slug = record_reading.tenant;
end
$$;

revoke execute on function tenantry.forget_refused_jobs(), tenantry.record_reading(text, text, text, jsonb) from public;
