internal import Contract
internal import Postgres

/// What a worker stands on in the database, whatever the jobs are: the control schema, its own rights, a server that writes.
enum FleetFoundation {
    /// What is missing, in words for whoever has to mend it; empty if nothing is.
    static func problems(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [String] {
        try database.query(SQL.problems).decode(String.self)
    }

    enum SQL {
        /// One row for each problem. The relations are those that every job needs.
        static let problems: Statement = """
            select 'the server is in recovery: it only reads' where pg_catalog.pg_is_in_recovery()
            union all
            select 'transactions only read (default_transaction_read_only)'
            where not pg_catalog.pg_is_in_recovery() and pg_catalog.current_setting('default_transaction_read_only') = 'on'
            union all
            select 'schema tenantry is missing' where pg_catalog.to_regnamespace('tenantry') is null
            union all
            select 'no right to use schema tenantry'
            where pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('tenantry'), 'usage') is false
            union all
            select case when c.oid is null then 'table tenantry.' || r.name || ' is missing'
                        else 'no right to ' || r.privilege || ' on tenantry.' || r.name end
            from (values ('accounts', 'select'), ('tenants', 'select'), ('credentials', 'select'), ('directory', 'select'),
                         ('inbox', 'insert'), ('outbox', 'insert'), ('suspects', 'insert'), ('dead_letters', 'insert'),
                         ('postponed_messages', 'insert'), ('leases', 'update'), ('workers', 'insert'),
                         ('tenant_usage', 'insert'), ('usage_deltas', 'insert'), ('audit_log', 'insert')) as r (name, privilege)
            left join pg_catalog.pg_class c
                on c.relname = r.name and c.relnamespace = pg_catalog.to_regnamespace('tenantry')
            where pg_catalog.to_regnamespace('tenantry') is not null
                and (c.oid is null or not (pg_catalog.has_table_privilege(c.oid, r.privilege)
                                           or pg_catalog.has_any_column_privilege(c.oid, r.privilege)))
            """
    }
}
