-- The walls between the owner of the database, who migrates it, the role of its workers, and the role of those who only read. The roles
-- themselves belong to the whole server, so `tenantry migrate --roles` makes them, and what each may is granted at the end of every run of it.

-- The roles that get the grants of workers and of readers. No row: the owner does everything.
create table tenantry.database_roles (
    purpose text primary key check (purpose in ('worker', 'reader')),
    name    text not null unique
);

-- The steps of a tenant's schema as the build has them that migrated last; {schema} stands for the quoted name. The owner alone writes here,
-- so this is all that a worker can have made.
create table tenantry.tenant_migrations (
    name     text primary key,
    position int not null unique,
    checksum text not null,
    script   text not null
);

-- Whoever only reads sees that somebody has a password, and no hash to try passwords on.
alter table tenantry.administrators
    add column has_password boolean not null generated always as (password_hash is not null) stored;

-- Grants the roles what they may in a tenant's schema; a role that is not on this server gets nothing. The tables are found by what depends on
-- the schema: `on all tables in schema` would read the whole catalogue each time, which grows with every tenant.
create function tenantry.grant_tenant_schema(schema_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    roles record;
    tables text;
begin
    select string_agg(quote_ident(r.name), ', ') as everybody,
           string_agg(quote_ident(r.name), ', ') filter (where r.purpose = 'worker') as workers,
           string_agg(quote_ident(r.name), ', ') filter (where r.purpose = 'reader') as readers
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

-- Makes new tenants' schemas, with all in them, from the caller's rows in `tenants`. A name that is not that of a tenant is refused, and so is
-- one that is there: nothing is ever granted on a schema that somebody else has made.
create function tenantry.create_tenant_schemas(schemas text[]) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    steps text;
    schema_name text;
begin
    if exists (
        select from unnest(schemas) as s (name)
        where not exists (
            select from tenantry.tenants t
            where t.schema_name = s.name and t.state <> 'purged' and s.name = 'tenant_' || replace(t.slug, '-', '_'))
    ) then
        raise insufficient_privilege using message = 'there is a schema that is not a tenant''s among those to be made';
    end if;
    select string_agg(m.script, E'\n' order by m.position) into strict steps from tenantry.tenant_migrations m;
    if steps is null then
        raise object_not_in_prerequisite_state using message = 'it is not known how a tenant''s schema is made: run tenantry migrate';
    end if;
    foreach schema_name in array schemas loop
        execute replace(steps, '{schema}', quote_ident(schema_name));
        perform tenantry.grant_tenant_schema(schema_name);
    end loop;
    insert into tenantry.migrations (schema_name, name, checksum)
    select s.name, m.name, m.checksum from unnest(schemas) as s (name) cross join tenantry.tenant_migrations m;
end
$$;

-- Drops a tenant's schema with all that is in it, and says how many rows each table had. All tables are locked first, those that jobs use in
-- the order in which jobs use them: whoever waits for whom does not wait in a circle.
create function tenantry.drop_tenant_schema(schema_name text) returns table (table_name text, row_count bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    tables text[];
begin
    if not exists (
        select from tenantry.tenants t
        where t.schema_name = drop_tenant_schema.schema_name and t.state <> 'purged'
          and t.schema_name = 'tenant_' || replace(t.slug, '-', '_')
    ) or not exists (select from tenantry.migrations m where m.schema_name = drop_tenant_schema.schema_name) then
        raise insufficient_privilege using message = 'the schema to be dropped is not a tenant''s';
    end if;
    select array_agg(c.relname::text order by array_position(
        array['messages', 'conversations', 'active_users', 'settings', 'documents', 'chunks', 'usage_hourly'], c.relname::text) nulls last,
        c.relname)
    into tables
    from pg_namespace n
    join pg_depend d on d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.classid = 'pg_class'::regclass
    join pg_class c on c.oid = d.objid and c.relkind in ('r', 'p')
    where n.nspname = drop_tenant_schema.schema_name;
    if tables is not null then
        execute (select format('lock table %s in access exclusive mode', string_agg(format('%I.%I', schema_name, t.name), ', ' order by t.n))
                 from unnest(tables) with ordinality as t (name, n));
        foreach table_name in array tables loop
            execute format('select count(*) from %I.%I', schema_name, table_name) into row_count;
            return next;
        end loop;
    end if;
    execute format('drop schema if exists %I cascade', schema_name);
    delete from tenantry.migrations m where m.schema_name = drop_tenant_schema.schema_name;
end
$$;

revoke all on function tenantry.create_tenant_schemas(text[]), tenantry.drop_tenant_schema(text), tenantry.grant_tenant_schema(text),
    tenantry.add_metric(text, boolean, text, boolean) from public;
