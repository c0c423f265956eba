-- Signing in to the console: sessions for whoever brings a credential instead of a password, and for operators who look at an account as that account.

-- The credential that the session was opened with: it holds no longer than that one. The reason is an operator's, for looking at an account.
alter table tenantry.credentials
    add column session_of text constraint credentials_session_of references tenantry.credentials (key) on delete cascade,
    add column reason text constraint credentials_reason check (length(reason) between 1 and 500);
create index credentials_session_of on tenantry.credentials (session_of) where session_of is not null;

-- Makes a session of a credential that was checked: a credential with the same rights for half a day at most, or, for an operator who names an account, one
-- with its administrators' rights for an hour. False where the credential holds no longer, or may not. Both are in the audit log; what an operator does as an
-- account is on record there as this session's.
create function tenantry.open_session(opened_with text, key text, secret_hash bytea, expires_at timestamptz, account text, reason text)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    holder record;
begin
    if key is null or key !~ '^con_[0-9A-Za-z_-]{12}$' or length(secret_hash) is distinct from 32
        or expires_at is null or expires_at > now() + (case when account is null then interval '13 hours' else interval '61 minutes' end)
        or (account is null) <> (reason is null)
    then
        raise invalid_parameter_value using message = 'this is no session''s credential';
    end if;
    select c.key, c.role, c.account, c.tenant, c.name, c.scopes, c.expires_at, c.session_of, c.administrator into holder
    from tenantry.credentials c
    where c.key = open_session.opened_with and c.role <> 'fleet' and c.revoked_at is null and c.expires_at > now()
    for key share;
    if not found then return false; end if;
    -- A token's sessions are kept: by them one finds what they have handed on, when the token is withdrawn.
    delete from tenantry.credentials c
    where c.session_of = coalesce(holder.session_of, holder.key) and c.role <> 'token' and c.expires_at < now();
    if open_session.account is null then
        -- A session of a session would outlive it.
        if holder.session_of is not null then return false; end if;
        -- What a token's session hands on is withdrawn with the token.
        -- What an administrator's session hands on is withdrawn with the administrator.
        insert into tenantry.credentials
            (key, role, account, tenant, name, scopes, secret_hash, expires_at, session_of, administrator, issued_by)
        values (open_session.key, holder.role, holder.account, holder.tenant, holder.name, holder.scopes, open_session.secret_hash,
                least(open_session.expires_at, holder.expires_at), holder.key, holder.administrator,
                case when holder.role = 'token' then holder.key end);
        insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
        values (coalesce(holder.account, ''), holder.tenant, holder.key, holder.role, holder.name, 'admin.sign_in', '',
                jsonb_build_object('result', jsonb_build_object('key', open_session.key)));
    else
        if holder.role <> 'operator' or not exists (select from tenantry.accounts a where a.slug = open_session.account) then
            return false;
        end if;
        insert into tenantry.credentials (key, role, account, name, secret_hash, expires_at, session_of, reason)
        values (open_session.key, 'account_admin', open_session.account, 'operator ' || holder.name, open_session.secret_hash,
                least(open_session.expires_at, holder.expires_at), coalesce(holder.session_of, holder.key), open_session.reason);
        insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
        select side.account, null, holder.key, holder.role, holder.name, 'operator.impersonate', '',
               jsonb_build_object('payload', jsonb_build_object('account', open_session.account, 'reason', open_session.reason),
                                  'result', jsonb_build_object('key', open_session.key))
        from (values (''), (open_session.account)) side (account);
    end if;
    set constraints tenantry.credentials_touch_directory immediate;
    return true;
end
$$;

-- As before, and for sessions of a credential: whoever has the session or the credential ends it.
create or replace function tenantry.end_session(key text, ended_by text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    sender record;
    session record;
begin
    select c.key, c.role, c.account, c.tenant, c.name, c.administrator, c.session_of into sender
    from tenantry.credentials c where c.key = ended_by and c.revoked_at is null and c.expires_at > now();
    if not found then return false; end if;
    update tenantry.credentials c set revoked_at = now()
    where c.key = end_session.key and (c.administrator is not null and isfinite(c.expires_at) or c.session_of is not null)
      and c.revoked_at is null and c.expires_at > now()
      and (c.administrator = sender.administrator or c.account = sender.account and sender.role in ('account', 'account_admin')
           or c.key = sender.key or c.session_of in (sender.key, sender.session_of))
    returning c.key, c.account, c.tenant, c.name into session;
    if not found then return false; end if;
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    values (coalesce(session.account, ''), session.tenant, sender.key, sender.role, sender.name, 'admin.sign_out', '',
            jsonb_build_object('payload', jsonb_build_object('key', session.key), 'result', jsonb_build_object('name', session.name)));
    set constraints tenantry.credentials_touch_directory immediate;
    return true;
end
$$;

revoke execute on function tenantry.open_session(text, text, bytea, timestamptz, text, text) from public;
