internal import Foundation
internal import Postgres
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Schema

/// Each test has a database of its own, and roles that are named after it: roles belong to the whole server.
@Suite("Making roles, and giving them their grants")
struct RoleMakingTests {
    @Test("Roles are made once, with passwords that are told once; old tenants and new ones are theirs")
    func made() async throws {
        let owner = try await freshDatabase()
        _ = try Migrator(owner).run()
        try run(Self.subjects(["old-a", "old-b"]), owner)
        #expect(try Migrator(owner).run().tenants == 2)
        let requests = DatabaseRole.allCases.map { RoleRequest($0, .made(password: nil)) }
        let first = try Migrator(owner).run(roles: requests)
        let database = try text("select current_database()::text", owner)
        #expect(first.roles.map(\.name) == ["\(database)_worker", "\(database)_reader", "\(database)_api"])
        #expect(first.granted == 2)
        let urls = try first.roles.map { try owner.url(as: $0.name, password: try #require($0.newPassword)) }
        let (worker, reader) = (ConnectionOptions(url: urls[0]), ConnectionOptions(url: urls[1]))
        let api = ConnectionOptions(url: urls[2])

        // The worker opens a tenant and purges one, the reader and the API read.
        try run(Self.tenants(["new"]) + "select tenantry.create_tenant_schemas('{tenant_new}');", worker)
        for schema in ["tenant_old_a", "tenant_old_b", "tenant_new"] {
            try run("insert into \(schema).settings values ('a', '1')", worker)
            for reading in [reader, api] { #expect(try text("select value::text from \(schema).settings", reading) == "1") }
            #expect(state(of: "delete from \(schema).settings", api) == "42501")
        }
        #expect(
            try text("select string_agg(row_count::text, ' ') from tenantry.drop_tenant_schema('tenant_old_a')", worker)
                == "0 0 0 1 0 0 0 0")
        #expect(try text("select to_regnamespace('tenant_old_a')::text", owner) == "")
        #expect(try text("select count(*)::text from tenantry.migrations where schema_name = 'tenant_old_a'", owner) == "0")
        #expect(
            try text("select count(*)::text from tenantry.migrations where schema_name = 'tenant_new'", owner)
                == "\(Migration.tenant.count)")

        #expect(state(of: "create temporary table mine ()", reader) == "25006", "a reader's transactions are for reading")

        let second = try Migrator(owner).run(roles: requests)
        #expect(second.roles.map(\.newPassword) == [nil, nil, nil])
        #expect(second.granted == 0)
        #expect(try text("select current_user::text", worker) == "\(database)_worker", "the password is as before")
        #expect(try Migrator(owner).run() == Migrator.Report())
    }

    @Test("A password that is given is set, also on a role that is there")
    func givenPassword() async throws {
        let owner = try await freshDatabase()
        let name = try text("select current_database() || '_w'", owner)
        for password in ["first password'", "second"] {
            let report = try Migrator(owner).run(roles: [RoleRequest(.worker, name: name, .made(password: password))])
            #expect(report.roles == [GrantedRole(role: .worker, name: name, newPassword: nil)])
            #expect(
                try text("select current_user::text", ConnectionOptions(url: try owner.url(as: name, password: password))) == name
            )
        }
        let wrong = state(of: "select 1", ConnectionOptions(url: try owner.url(as: name, password: "first password'")))
        #expect(wrong?.contains("password authentication failed") == true)
        #expect(try text("select rolpassword from pg_authid where rolname = '\(name)'", owner).hasPrefix("SCRAM-SHA-256$4096:"))
    }

    @Test(
        "A role that could do more is refused before anything is changed",
        arguments: [
            ("create role {} login superuser", "is a superuser"), ("create role {} login createrole", "may make roles"),
            ("create role {} login createdb", "may make databases"), ("create role {} login replication", "may replicate"),
            ("create role {} login bypassrls", "passes by row security"),
            ("create role {} login; grant pg_read_all_data to {}", "is a member of another role"),
            ("create role {} login; create schema mine authorization {}", "owns something in this database"),
            ("create role {} login; grant create on database {db} to {}", "may make schemas in this database"),
            ("", "is not there"),
        ])
    func unfit(_ making: String, _ reason: String) async throws {
        let owner = try await freshDatabase()
        let database = try text("select current_database()::text", owner)
        let name = "\(database)_unfit"
        try run(making.replacing("{db}", with: database).replacing("{}", with: name), owner)
        let origins: [RoleRequest.Origin] = making.isEmpty ? [.given] : [.given, .made(password: "p")]
        for origin in origins {
            let error = #expect(throws: RoleError.self) {
                try Migrator(owner).run(roles: [RoleRequest(.reader, name: name, origin)])
            }
            #expect("\(try #require(error))".hasPrefix("role \(name) \(reason)"))
        }
        #expect(try text("select count(*)::text from tenantry.database_roles", owner) == "0")
        #expect(
            try text("select count(*)::text from pg_authid where rolname = '\(name)' and rolpassword is not null", owner) == "0")
    }

    @Test("The owner cannot be its own worker; one role cannot be both; a place that is held is not given away")
    func places() async throws {
        let owner = try await freshDatabase()
        let database = try text("select current_database()::text", owner)
        func failure(_ requests: RoleRequest...) -> RoleError? {
            #expect(throws: RoleError.self) { try Migrator(owner).run(roles: requests) }
        }
        let superuser = try text("select current_user::text", owner)
        #expect(failure(RoleRequest(.worker, name: superuser, .given)) == .unfit(name: superuser, reason: "is the owner's own"))
        let (one, two) = ("\(database)_one", "\(database)_two")
        #expect(
            failure(RoleRequest(.worker, name: one, .made(password: nil)), RoleRequest(.reader, name: one, .made(password: nil)))
                == .oneForBoth(name: one))
        _ = try Migrator(owner).run(roles: [RoleRequest(.worker, name: one, .made(password: nil))])
        #expect(failure(RoleRequest(.reader, name: one, .given)) == .oneForBoth(name: one))
        #expect(failure(RoleRequest(.worker, name: two, .made(password: nil))) == .placeTaken(.worker, by: one, wanted: two))
        // Once it is gone, its place is free, and tenants can be made meanwhile.
        try run("drop owned by \(one); drop role \(one);" + Self.subjects(["between"]), owner)
        try run("select tenantry.create_tenant_schemas('{tenant_between}')", owner)
        let report = try Migrator(owner).run(roles: [RoleRequest(.worker, name: two, .made(password: nil))])
        #expect(report.granted == 1)
    }

    @Test("An owner that is no superuser makes roles if it may, and else gives grants to those that others have made")
    func plainOwner() async throws {
        let superuser = try await freshDatabase()
        let database = try text("select current_database()::text", superuser)
        let name = "\(database)_owner"
        try run("create role \(name) login password 'o'; alter database \(database) owner to \(name)", superuser)
        let owner = ConnectionOptions(url: try superuser.url(as: name, password: "o"))
        let requests = DatabaseRole.allCases.map { RoleRequest($0, .made(password: "p")) }
        let error = #expect(throws: RoleError.self) { try Migrator(owner).run(roles: requests) }
        #expect(error == .mayNotMake(name: "\(database)_worker"))
        #expect(try text("select count(*)::text from tenantry.database_roles", owner) == "0")

        try run("create role \(database)_given login password 'p'; alter role \(name) createrole", superuser)
        let report = try Migrator(owner).run(
            roles: [RoleRequest(.worker, name: "\(database)_given", .given), RoleRequest(.reader, .made(password: "p"))])
        #expect(report.roles.count == 2)
        let worker = ConnectionOptions(url: try owner.url(as: "\(database)_given", password: "p"))
        let reader = ConnectionOptions(url: try owner.url(as: "\(database)_reader", password: "p"))
        try run(Self.subjects(["aa"]), owner)
        try run("select tenantry.create_tenant_schemas('{tenant_aa}')", worker)
        #expect(try text("select count(*)::text from tenant_aa.messages", reader) == "0")
        try run("select * from tenantry.drop_tenant_schema('tenant_aa')", worker)
        for sql in ["create table public.mine ()", "create temporary table mine ()", "create schema mine"] {
            #expect(state(of: sql, worker) == "42501", "\(sql)")
        }
    }

    @Test("Each run gives what is new and takes what should not be")
    func renewed() async throws {
        let owner = try await freshDatabase()
        let report = try Migrator(owner).run(roles: DatabaseRole.allCases.map { RoleRequest($0, .made(password: "p")) })
        let (worker, reader) = (report.roles[0].name, report.roles[1].name)
        try run(Self.subjects(["aa", "bb"]) + "select tenantry.create_tenant_schemas('{tenant_aa, tenant_bb}');", owner)
        try run(
            """
            create table tenant_aa.later (a int);
            revoke delete on tenant_bb.chunks from \(worker);
            grant delete, truncate on tenantry.audit_log to \(worker);
            grant select (secret_hash) on tenantry.credentials to \(reader);
            grant execute on function tenantry.drop_tenant_schema(text) to \(reader);
            """, owner)
        #expect(try Migrator(owner).run().granted == 2)
        let asWorker = ConnectionOptions(url: try owner.url(as: worker, password: "p"))
        let asReader = ConnectionOptions(url: try owner.url(as: reader, password: "p"))
        try run("insert into tenant_aa.later values (1); delete from tenant_bb.chunks", asWorker)
        #expect(try text("select a::text from tenant_aa.later", asReader) == "1")
        #expect(state(of: "delete from tenantry.audit_log", asWorker) == "42501")
        #expect(state(of: "select secret_hash from tenantry.credentials", asReader) == "42501")
        #expect(state(of: "select * from tenantry.drop_tenant_schema('tenant_aa')", asReader) == "42501")
    }

    @Test("A tenant that is being opened while the roles are made is theirs, too")
    func opening() async throws {
        let owner = try await freshDatabase()
        _ = try Migrator(owner).run()
        try run(Self.subjects([]), owner)
        var opening = try Connection(owner)
        try opening.run(script: "begin;" + Self.tenants(["aa"]) + "select tenantry.create_tenant_schemas('{tenant_aa}')")
        let migrating = Task.detached {
            try Migrator(owner).run(roles: [RoleRequest(.worker, .made(password: "p"))])
        }
        try await eventually("the migration waits for the opening") {
            try text("select count(*)::text from pg_locks where not granted and relation = 'tenantry.tenants'::regclass", owner)
                == "1"
        }
        try opening.run(script: "commit")
        let report = try await migrating.value
        let worker = ConnectionOptions(url: try owner.url(as: report.roles[0].name, password: "p"))
        #expect(try text("select count(*)::text from tenant_aa.messages", worker) == "0")
    }

    @Test("Before it is known how a schema is made, none is made")
    func unknownSteps() async throws {
        let owner = try await freshDatabase()
        _ = try Migrator(owner).run()
        try run(Self.subjects(["aa"]) + "delete from tenantry.tenant_migrations", owner)
        #expect(state(of: "select tenantry.create_tenant_schemas('{tenant_aa}')", owner) == "55000")
        _ = try Migrator(owner).run()
        // It is a tenant without a schema, and so it has got one.
        #expect(state(of: "select tenantry.create_tenant_schemas('{tenant_aa}')", owner) == "42P06")
    }

    // MARK: The database

    private func freshDatabase() async throws -> ConnectionOptions {
        ConnectionOptions(url: try await TestServers.shared.databaseURL())
    }

    private static func subjects(_ slugs: [String]) -> String {
        """
        insert into tenantry.plans (name, display_name, thresholds) values ('p', 'P', '{100}');
        insert into tenantry.accounts (slug, display_name, plan) values ('acme', 'A', 'p');
        """ + tenants(slugs)
    }

    private static func tenants(_ slugs: [String]) -> String {
        slugs.map { slug in
            """
            insert into tenantry.tenants (slug, account, schema_name, display_name)
            values ('\(slug)', 'acme', 'tenant_\(slug.replacing("-", with: "_"))', 'T');
            """
        }.joined()
    }

    private func run(_ script: String, _ options: ConnectionOptions) throws {
        var connection = try Connection(options)
        try connection.run(script: script)
    }

    /// One text; "" for null.
    private func text(_ sql: String, _ options: ConnectionOptions) throws -> String {
        var connection = try Connection(options)
        return try connection.query(Statement(sql)).only(String?.self) ?? ""
    }

    private func state(of script: String, _ options: ConnectionOptions) -> String? {
        do throws(PostgresError) {
            var connection = try Connection(options)
            return RoleRightsTests.state(of: script, on: &connection)
        } catch {
            return error.sqlState ?? "\(error)"
        }
    }
}
