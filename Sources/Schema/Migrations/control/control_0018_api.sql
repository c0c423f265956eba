-- What the HTTP API needs: a role of its own, rows of the jobs that came by it, and what is known of sign-ins and of the use of credentials.

alter table tenantry.database_roles
    drop constraint database_roles_purpose_check,
    add constraint database_roles_purpose_check check (purpose in ('worker', 'reader', 'api'));

-- As before, and the API reads what a reader reads.
create or replace function tenantry.grant_tenant_schema(schema_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    roles record;
    tables text;
begin
    select string_agg(quote_ident(r.name), ', ') as everybody,
           string_agg(quote_ident(r.name), ', ') filter (where r.purpose = 'worker') as workers,
           string_agg(quote_ident(r.name), ', ') filter (where r.purpose in ('reader', 'api')) as readers
    into roles
    from tenantry.database_roles r join pg_roles on pg_roles.rolname = r.name;
    if roles.everybody is null then return; end if;
    select string_agg(format('%I.%I', schema_name, c.relname), ', ') into tables
    from pg_namespace n
    join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.classid = 'pg_class'::regclass
    join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p')
    where n.nspname = schema_name;
    execute format('grant usage on schema %I to %s', schema_name, roles.everybody);
    if roles.workers is not null then
        execute format('grant select, insert, update, delete on table %s to %s', tables, roles.workers);
    end if;
    if roles.readers is not null then execute format('grant select on table %s to %s', tables, roles.readers); end if;
end
$$;

-- The jobs that were sent by HTTP. The API writes a row before it publishes the job, a worker ends it after the commit; so whoever was told to come back
-- finds what became of the job, a rejection too. No secret is ever in it.
create table tenantry.http_jobs (
    account     text not null,              -- as in the inbox: '' for an operator's jobs
    scope       text not null default '',   -- the tenant that the sender is limited to; '' for none
    job_id      text not null,
    kind        text not null,
    tenant      text not null default '',   -- '' for a job on none
    body_digest bytea,                      -- SHA-256 of the body
    status      text not null default 'pending' check (status in ('pending', 'succeeded', 'rejected')),
    duplicate   boolean not null default false,
    result      jsonb,
    error       jsonb,
    credential  text not null,              -- its key
    sent_at     timestamptz not null default now(),
    finished_at timestamptz,
    primary key (account, scope, job_id)
);
create index http_jobs_sent_at on tenantry.http_jobs using brin (sent_at);

-- When a credential was last used, to the minute. A table of its own: a change of `credentials` has every lane ask anew for all that it remembers.
create table tenantry.credential_uses (
    key          text primary key references tenantry.credentials (key) on delete cascade,
    last_used_at timestamptz not null
);

-- Sign-ins by a password that was wrong, or is still being looked at: so many in a quarter of an hour for an e-mail address, there or not, and from
-- a network address.
create table tenantry.sign_in_failures (
    id      bigint generated always as identity primary key,
    subject text not null,                  -- 'email:' and the SHA-256 of the address, or 'address:' and where it came from
    at      timestamptz not null default clock_timestamp()
);
create index sign_in_failures_subject on tenantry.sign_in_failures (subject, at);
create index sign_in_failures_at on tenantry.sign_in_failures (at);

-- Makes a session: a credential, for a day at most, of the administrator whose password was checked, and the entry in the audit log. False where the
-- administrator is gone or has another password by now.
create function tenantry.sign_in(administrator uuid, password_hash text, key text, secret_hash bytea, expires_at timestamptz) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    person record;
begin
    if key is null or key !~ '^adm_[0-9A-Za-z_-]{12}$' or length(secret_hash) is distinct from 32
        or expires_at is null or expires_at > now() + interval '1 day'
    then
        raise invalid_parameter_value using message = 'this is no session''s credential';
    end if;
    select a.id, a.role, a.account, a.tenant, a.email into person
    from tenantry.administrators a
    where a.id = sign_in.administrator and a.password_hash = sign_in.password_hash for key share;
    if not found then return false; end if;
    delete from tenantry.credentials c where c.administrator = person.id and c.expires_at < now();
    insert into tenantry.credentials (key, role, account, tenant, name, secret_hash, expires_at, administrator)
    values (sign_in.key, person.role, person.account, person.tenant, person.email, sign_in.secret_hash, sign_in.expires_at, person.id);
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    values (person.account, person.tenant, sign_in.key, person.role, person.email, 'admin.sign_in', '',
            jsonb_build_object('result', jsonb_build_object('key', sign_in.key)));
    -- Now, while the owner's rights hold.
    set constraints tenantry.credentials_touch_directory immediate;
    return true;
end
$$;

-- Ends a session, with an entry in the audit log: for the person whose it is, or for an account's credential or administrator. False where `ended_by`
-- holds no longer or may not end it, or there is no such session.
create function tenantry.end_session(key text, ended_by text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    sender record;
    session record;
begin
    select c.key, c.role, c.account, c.tenant, c.name, c.administrator into sender
    from tenantry.credentials c where c.key = ended_by and c.revoked_at is null and c.expires_at > now();
    if not found then return false; end if;
    update tenantry.credentials c set revoked_at = now()
    where c.key = end_session.key and c.administrator is not null and isfinite(c.expires_at)
      and c.revoked_at is null and c.expires_at > now()
      and (c.administrator = sender.administrator or c.account = sender.account and sender.role in ('account', 'account_admin'))
    returning c.key, c.account, c.tenant, c.name into session;
    if not found then return false; end if;
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    values (session.account, session.tenant, sender.key, sender.role, sender.name, 'admin.sign_out', '',
            jsonb_build_object('payload', jsonb_build_object('key', session.key), 'result', jsonb_build_object('name', session.name)));
    set constraints tenantry.credentials_touch_directory immediate;
    return true;
end
$$;

-- Puts on record what was asked for by HTTP and is no job. Who it was is what the credential says; the kind is one of a few, and the rest is bounded.
create function tenantry.record_request(credential text, kind text, tenant text, details jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if kind is null or kind not in ('tenant.export', 'corpus.search', 'dead.replay', 'dead.discard') then
        raise invalid_parameter_value using message = 'only exports, searches and what is done to dead letters are recorded here';
    end if;
    if details is null or pg_column_size(details) > 8192 then
        raise invalid_parameter_value using message = 'the details are missing or too long';
    end if;
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    select coalesce(t.account, c.account, ''), t.slug, c.key, c.role, c.name, record_request.kind, '', record_request.details
    from tenantry.credentials c left join tenantry.tenants t on t.slug = record_request.tenant
    where c.key = record_request.credential and (t.slug is null or c.account is null or c.account = t.account);
    if not found then raise invalid_parameter_value using message = 'there is no such credential, or the tenant is another''s'; end if;
end
$$;

revoke execute on function tenantry.sign_in(uuid, text, text, bytea, timestamptz), tenantry.end_session(text, text),
    tenantry.record_request(text, text, text, jsonb) from public;
