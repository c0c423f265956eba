internal import Postgres

/// The roles of workers, readers and the API: found or made, held against what they may be, and noted for the functions that make tenants' schemas.
extension Migrator {
    /// Makes the roles that are to be made and checks all of them. Nothing is granted yet.
    static func settle(_ requests: [RoleRequest], on connection: inout Connection) throws -> [GrantedRole] {
        let database = try connection.query(RoleSQL.database).only(String.self)
        var settled: [GrantedRole] = []
        for request in requests {
            let name = try Identifier(request.name ?? "\(database)_\(request.role.rawValue)")
            if settled.contains(where: { $0.name == name.name }) { throw RoleError.oneForBoth(name: name.name) }
            try checkPlace(of: request.role, for: name, on: &connection)
            let newPassword = try connection.transaction { transaction in
                let isThere = try transaction.query(RoleSQL.exists, name.name).only(Bool.self)
                // Checked before its password is touched: it may be somebody else's.
                if isThere { try checkFitness(of: name, on: &transaction) }
                guard case .made(let password) = request.origin else {
                    guard isThere else { throw RoleError.unfit(name: name.name, reason: "is not there") }
                    return String?.none
                }
                return try make(name, request.role, isThere: isThere, password: password, on: &transaction)
            }
            settled.append(GrantedRole(role: request.role, name: name.name, newPassword: newPassword))
        }
        return settled
    }

    /// Another role in the place would keep its grants without being noted anywhere.
    private static func checkPlace(of role: DatabaseRole, for name: Identifier, on connection: inout Connection) throws {
        let holders = try connection.query(RoleSQL.holders).decode((String, String).self)
        for (purpose, holder) in holders {
            if purpose == role.rawValue, holder != name.name {
                throw RoleError.placeTaken(role, by: holder, wanted: name.name)
            }
            if purpose != role.rawValue, holder == name.name { throw RoleError.oneForBoth(name: holder) }
        }
    }

    /// - Returns: the random password of a role that was made without one.
    private static func make(
        _ name: Identifier, _ role: DatabaseRole, isThere: Bool, password: String?, on database: inout Transaction
    ) throws -> String? {
        let random = isThere || password != nil ? nil : RoleRequest.randomPassword()
        let verifier = (password ?? random).map { " password '\(ScramVerifier($0).text)'" } ?? ""
        do {
            if !isThere {
                try database.run(
                    script: """
                        create role \(name.quoted) login nosuperuser nocreatedb nocreaterole noreplication nobypassrls\(verifier)
                        """)
            } else if !verifier.isEmpty {
                try database.run(script: "alter role \(name.quoted) login\(verifier)")
            }
            if role == .reader, !isThere {
                // Its grants are the wall. This saves who reads from mistakes with what everybody may, such as large objects.
                try database.run(script: "alter role \(name.quoted) set default_transaction_read_only = on")
            }
        } catch {
            guard error.isDenied else { throw error }
            throw RoleError.mayNotMake(name: name.name)
        }
        return random
    }

    /// Refuses a role that could do more than it is granted.
    private static func checkFitness(of name: Identifier, on database: inout some Queryable & ~Copyable) throws {
        guard let reason = try database.query(RoleSQL.flaw, name.name).first(String?.self).flatMap({ $0 }) else { return }
        throw RoleError.unfit(name: name.name, reason: reason)
    }

    /// Notes the roles and the steps of a tenant's schema for the functions that make one.
    ///
    /// Whoever is making a tenant is waited for: what comes after finds its schema, and gives it what it lacks.
    static func publish(_ roles: [GrantedRole], on connection: inout Connection) throws(PostgresError) {
        try connection.transaction { transaction throws(PostgresError) in
            let names = Migration.tenant.map(\.name)
            let isNew = try transaction.query(
                RoleSQL.isNews, names, Migration.tenant.map(\.checksum), roles.map(\.role.rawValue), roles.map(\.name)
            ).only(Bool.self)
            guard isNew else { return }
            try transaction.run(script: RoleSQL.waitForOpenings)
            _ = try transaction.query(RoleSQL.removeSteps, names)
            _ = try transaction.query(RoleSQL.saveSteps, names, Migration.tenant.map(\.checksum), Migration.tenant.map(\.sql))
            _ = try transaction.query(RoleSQL.saveRoles, roles.map(\.role.rawValue), roles.map(\.name))
        }
    }

    /// Gives the noted roles what they may in the control schema and in the database, and nothing else.
    static func grantControl(on connection: inout Connection) throws {
        let roles = try connection.query(RoleSQL.holders).decode((String, String).self)
        guard !roles.isEmpty else { return }
        let database = try Identifier(try connection.query(RoleSQL.database).only(String.self))
        try connection.transaction { transaction in
            for (purpose, name) in roles {
                guard let role = DatabaseRole(rawValue: purpose) else { continue }
                let name = try Identifier(name)
                try checkFitness(of: name, on: &transaction)
                try transaction.run(script: ControlGrants.script(role, name))
                try transaction.run(script: "grant connect on database \(database.quoted) to \(name.quoted)")
                // Everybody may make temporary tables by default, and once could make others in `public`.
                if try transaction.query(RoleSQL.mayMakeTemporaryTables, name.name).only(Bool.self) {
                    try transaction.run(script: "revoke temporary on database \(database.quoted) from public")
                }
                if try transaction.query(RoleSQL.mayCreateInPublic, name.name).only(Bool.self) {
                    try transaction.run(script: "revoke create on schema public from public")
                }
            }
        }
    }

    /// Tenants' schemas in which a noted role lacks something.
    static func ungrantedTenants(on connection: inout Connection) throws(PostgresError) -> [String] {
        try connection.query(RoleSQL.ungranted).decode(String.self)
    }
}

extension Migrator {
    enum RoleSQL {
        static let database: Statement = "select current_database()::text"
        static let exists: Statement = "select exists (select from pg_catalog.pg_roles where rolname = $1)"
        /// Those that are still there.
        static let holders: Statement = """
            select r.purpose, r.name from tenantry.database_roles r join pg_catalog.pg_roles p on p.rolname = r.name order by 1 desc
            """
        /// What is wrong with a role; null: nothing. Of several things the first.
        static let flaw: Statement = """
            select case
                when r.rolname = current_user then 'is the owner''s own'
                when r.rolsuper then 'is a superuser'
                when r.rolcreaterole then 'may make roles (createrole)'
                when r.rolcreatedb then 'may make databases (createdb)'
                when r.rolreplication then 'may replicate, and so read everything (replication)'
                when r.rolbypassrls then 'passes by row security (bypassrls)'
                when exists (select from pg_catalog.pg_auth_members m where m.member = r.oid)
                    then 'is a member of another role, which it could become (set role)'
                when exists (
                    select from pg_catalog.pg_shdepend d
                    where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'o'
                      and d.dbid in (0, (select oid from pg_catalog.pg_database where datname = current_database())))
                    then 'owns something in this database, or the database'
                when pg_catalog.has_database_privilege(r.rolname, current_database(), 'create')
                    then 'may make schemas in this database (revoke create on database)'
            end
            from pg_catalog.pg_roles r where r.rolname = $1
            """
        static let isNews: Statement = """
            select (select coalesce(array_agg(m.name || ':' || m.checksum order by m.position), '{}') from tenantry.tenant_migrations m)
                <> (select array_agg(s.name || ':' || s.checksum order by s.n)
                    from unnest($1::text[], $2::text[]) with ordinality as s (name, checksum, n))
                or exists (select purpose, name from unnest($3::text[], $4::text[]) as s (purpose, name)
                           except select purpose, name from tenantry.database_roles)
            """
        static let waitForOpenings = "lock table tenantry.tenants in share mode"
        static let removeSteps: Statement = "delete from tenantry.tenant_migrations where name <> all($1)"
        static let saveSteps: Statement = """
            insert into tenantry.tenant_migrations (name, position, checksum, script)
            select s.name, s.n, s.checksum, s.script
            from unnest($1::text[], $2::text[], $3::text[]) with ordinality as s (name, checksum, script, n)
            on conflict (name) do update set position = excluded.position, checksum = excluded.checksum, script = excluded.script
            """
        static let saveRoles: Statement = """
            insert into tenantry.database_roles (purpose, name) select s.purpose, s.name from unnest($1::text[], $2::text[]) as s (purpose, name)
            on conflict (purpose) do update set name = excluded.name
            """
        static let mayMakeTemporaryTables: Statement =
            "select pg_catalog.has_database_privilege($1::name, current_database(), 'temporary')"
        static let mayCreateInPublic: Statement = """
            select coalesce(pg_catalog.has_schema_privilege($1::name, pg_catalog.to_regnamespace('public')::oid, 'create'), false)
            """
        static let grantTenant: Statement = "select tenantry.grant_tenant_schema($1)"
        static let ungranted: Statement = """
            select t.schema_name from tenantry.tenants t
            join pg_catalog.pg_namespace n on n.nspname = t.schema_name
            where t.state <> 'purged' and exists (
                select from tenantry.database_roles r join pg_catalog.pg_roles p on p.rolname = r.name
                where not pg_catalog.has_schema_privilege(p.oid, n.oid, 'usage')
                   or exists (
                    select from pg_catalog.pg_depend d
                    join pg_catalog.pg_class c on c.oid = d.objid and c.relkind in ('r', 'p')
                    where d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.refobjid = n.oid
                      and d.classid = 'pg_catalog.pg_class'::regclass
                      and (not pg_catalog.has_table_privilege(p.oid, c.oid, 'select')
                           or r.purpose = 'worker' and not (
                               pg_catalog.has_table_privilege(p.oid, c.oid, 'insert')
                               and pg_catalog.has_table_privilege(p.oid, c.oid, 'update')
                               and pg_catalog.has_table_privilege(p.oid, c.oid, 'delete')))))
            order by 1
            """
    }
}
