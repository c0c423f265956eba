-- Whoever reads a tenant's documents or conversations by a command, beside the API and its rights, is on record, too.
create or replace function tenantry.record_reading(kind text, tenant text, actor text, details jsonb) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if kind is null or kind not in ('tenant.export', 'corpus.search', 'corpus.read', 'conversation.read') then
        raise invalid_parameter_value using message = 'only exports, searches and readings are recorded here';
    end if;
    if length(actor) > 200 or pg_column_size(details) > 8192 then
        raise invalid_parameter_value using message = 'the actor or the details are too long';
    end if;
    insert into tenantry.audit_log (account, tenant, credential, role, actor, kind, job_id, details)
    select t.account, t.slug, session_user, 'operator', actor, record_reading.kind, '', details
    from tenantry.tenants t where t.slug = record_reading.tenant;
end
$$;
