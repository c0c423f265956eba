internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Schema

/// What the roles may and may not, asked of a real server. Each statement is taken back.
@Suite("Rights of the database's roles")
struct RoleRightsTests {
    enum Who: String, CaseIterable {
        case owner, worker, reader, api
    }

    /// A statement, and who may run it. `tenant_aa` has its rows in the control schema and its own; `elsewhere` is nobody's.
    struct Line: CustomTestStringConvertible {
        let sql: String
        let who: Set<Who>

        init(_ sql: String, _ who: Who...) {
            self.sql = sql
            // The API reads what a reader reads.
            self.who = Set(who).union(who.contains(.reader) ? [.api] : [])
        }

        var testDescription: String { "\(sql) [\(who.map(\.rawValue).sorted().joined(separator: ", "))]" }
    }

    private static let entry =
        "(account, tenant, credential, role, actor, kind, job_id, details) values ('', null, '', '', '', '', '', '{}')"

    static let lines: [Line] = [
        // The audit log is written on, and never over.
        Line("insert into tenantry.audit_log \(entry)", .owner, .worker),
        Line("select * from tenantry.audit_log", .owner, .worker, .reader),
        Line("update tenantry.audit_log set actor = 'somebody else'", .owner),
        Line("delete from tenantry.audit_log", .owner),
        Line("truncate tenantry.audit_log", .owner),
        Line("select * from tenantry.audit_log for update", .owner),
        Line(
            "insert into tenantry.audit_log (at, account, credential, role, actor, kind, job_id, details) "
                + "values (now() - interval '1 year', '', '', '', '', '', '', '{}')", .owner),
        Line(
            "insert into tenantry.audit_log (id, account, credential, role, actor, kind, job_id, details) "
                + "overriding system value values (1, '', '', '', '', '', '', '{}')", .owner),
        Line("alter table tenantry.audit_log disable trigger all", .owner),
        Line("delete from tenantry.purges", .owner),
        Line("update tenantry.purges set row_counts = '{}'", .owner),
        // Secrets, and what is said to somebody else.
        Line("select secret_hash from tenantry.credentials", .owner, .worker, .api),
        Line("select * from tenantry.credentials", .owner, .worker, .api),
        Line("select c from tenantry.credentials c", .owner, .worker, .api),
        Line("select 1 from tenantry.credentials where secret_hash > ''", .owner, .worker, .api),
        Line("select key, name, scopes, revoked_at from tenantry.credentials", .owner, .worker, .reader),
        Line("select password_hash from tenantry.administrators", .owner, .worker, .api),
        Line("select email from tenantry.administrators order by password_hash", .owner, .worker, .api),
        Line("select email, role, has_password from tenantry.administrators", .owner, .worker, .reader),
        Line("select * from tenantry.inbox", .owner, .worker, .api),
        Line("select body from tenantry.outbox", .owner, .worker),
        Line("select count(*) from tenantry.outbox", .owner, .worker, .reader),
        Line("select * from tenantry.erased_messages", .owner, .worker),
        Line("select * from tenantry.stripe_customers", .owner, .worker),
        Line("select * from pg_catalog.pg_authid", .owner),
        // Reading is for all.
        Line("select * from tenantry.current_usage", .owner, .worker, .reader),
        Line("select * from tenant_aa.messages", .owner, .worker, .reader),
        // Rows are the workers'.
        Line("insert into tenant_aa.settings values ('a', '1')", .owner, .worker),
        Line("delete from tenant_aa.messages", .owner, .worker),
        Line("lock table tenant_aa.messages in share row exclusive mode", .owner, .worker),
        Line("lock table tenant_aa.messages in access exclusive mode", .owner, .worker),
        Line("update tenantry.tenants set display_name = 'A'", .owner, .worker),
        Line("delete from tenantry.tenants", .owner),
        Line("delete from tenantry.invoices", .owner),
        Line("delete from tenantry.alerts", .owner),
        Line("update tenantry.plans set price = null", .owner),
        Line("update tenantry.plan_limits set limit_value = null", .owner),
        // The API writes what is its own, and makes no credential but by the function.
        Line("insert into tenantry.http_jobs (account, job_id, kind, credential) values ('', 'a', 'b', 'c')", .owner, .api),
        Line("update tenantry.http_jobs set status = 'succeeded'", .owner, .worker, .api),
        Line("select result from tenantry.http_jobs", .owner, .worker, .api),
        Line("insert into tenantry.credential_uses select key, now() from tenantry.credentials", .owner, .worker, .api),
        Line("insert into tenantry.sign_in_failures (subject) values ('email:a')", .owner, .api),
        Line("delete from tenantry.sign_in_failures", .owner, .worker, .api),
        Line("insert into tenantry.refused_jobs values (now(), '', '', '', '', 1)", .owner, .worker, .api),
        Line(
            "insert into tenantry.credentials (key, role, name, secret_hash) values ('a', 'operator', 'a', '')", .owner, .worker),
        Line("update tenantry.credentials set revoked_at = now()", .owner, .worker),
        Line("update tenantry.administrators set password_hash = null", .owner, .worker),
        Line("select tenantry.sign_in(gen_random_uuid(), '', 'adm_123456789012', sha256(''), now())", .owner, .api),
        Line("select tenantry.end_session('a', 'b')", .owner, .api),
        Line(
            "select tenantry.record_request((select min(key) from tenantry.credentials), 'dead.discard', null, '{}')", .owner,
            .api),
        Line("select secret from tenantry.seal", .owner, .worker),
        // Schemas and tables are the owner's, but for the two functions.
        Line("create schema tenant_ab", .owner),
        Line("drop schema tenant_aa cascade", .owner),
        Line("create table tenant_aa.mine (a int)", .owner),
        Line("create table public.mine (a int)", .owner),
        Line("create temporary table mine (a int)", .owner),
        Line("create function tenant_aa.mine() returns int language sql as 'select 1'", .owner),
        Line("alter table tenant_aa.messages add column mine int", .owner),
        Line("drop table tenant_aa.messages", .owner),
        Line("truncate tenant_aa.messages", .owner),
        Line("create index on tenant_aa.messages (content)", .owner),
        Line(
            "create trigger mine before insert on tenant_aa.messages for each row execute function tenantry.touch_directory()",
            .owner),
        Line("create view tenant_aa.mine as select 1", .owner),
        Line("select tenantry.add_metric('mine', false, 'soft')", .owner),
        Line("select tenantry.grant_tenant_schema('tenant_aa')", .owner),
        Line("insert into tenantry.tenant_migrations values ('mine', 99, '', 'drop schema tenantry cascade')", .owner),
        Line("update tenantry.tenant_migrations set script = 'alter role test_worker superuser'", .owner),
        Line("insert into tenantry.database_roles values ('worker', 'test_reader') on conflict (purpose) do nothing", .owner),
        Line("delete from tenantry.migrations", .owner),
        Line("insert into tenantry.migrations values ('public', 'mine', '')", .owner),
        Line("select * from tenantry.drop_tenant_schema('tenant_aa')", .owner, .worker),
        Line("select tenantry.create_tenant_schemas('{}')", .owner, .worker),
        // No way to be somebody else, or to do more.
        Line("set role tenantry", .owner),
        Line("set role pg_read_all_data", .owner),
        Line("set session authorization tenantry", .owner),
        Line("alter role test_worker superuser", .owner),
        Line("alter role test_worker createrole", .owner),
        Line("create role mine", .owner),
        Line("create extension adminpack", .owner),
        Line("create event trigger mine on ddl_command_end execute function tenantry.touch_directory()"),
        Line("alter database postgres set search_path = 'mine'", .owner),
        Line("set session_replication_role = replica", .owner),
        Line("copy tenantry.tenants to program 'cat >/dev/null'", .owner),
        Line("select pg_catalog.pg_read_file('postgresql.conf')", .owner),
        Line("alter default privileges for role tenantry in schema tenantry grant all on tables to public", .owner),
    ]

    @Test("A statement is for those who are named, and for the others it is 42501", arguments: lines)
    func rights(_ line: Line) async throws {
        let place = try await Self.place.value
        for who in Who.allCases {
            var connection = try Connection(ConnectionOptions(url: place.url(of: who)))
            // A reader's transactions are for reading alone, but that is a habit, which it may put off.
            try connection.run(script: "set default_transaction_read_only = off")
            let state = Self.state(of: line.sql, on: &connection)
            if line.sql.contains("event trigger") {
                // Even the owner may not, as the function is no event trigger's; what matters is that the others are not let so far.
                #expect(who == .owner ? state != "42501" : state == "42501", "\(who): \(state ?? "done")")
            } else {
                #expect(state == (line.who.contains(who) ? nil : "42501"), "\(who): \(state ?? "done")")
            }
        }
    }

    @Test(
        "The functions take only schemas of tenants, whatever else a worker writes into their rows",
        arguments: [
            "select * from tenantry.drop_tenant_schema('tenantry')", "select * from tenantry.drop_tenant_schema('public')",
            "select * from tenantry.drop_tenant_schema('tenant_stranger')",
            "select * from tenantry.drop_tenant_schema('tenant_none')",
            "select * from tenantry.drop_tenant_schema('tenant_aa; drop schema public')",
            "select * from tenantry.drop_tenant_schema(null)",
            "update tenantry.tenants set schema_name = 'tenantry' where slug = 'aa'; select * from tenantry.drop_tenant_schema('tenantry')",
            "update tenantry.tenants set schema_name = 'tenant_stranger' where slug = 'aa'; "
                + "select * from tenantry.drop_tenant_schema('tenant_stranger')",
            // Made by hand, and in no ledger: it is not ours, even if a tenant would have this name.
            "insert into tenantry.tenants (slug, account, schema_name, display_name) values ('stranger', 'aa', 'tenant_stranger', 'S'); "
                + "select * from tenantry.drop_tenant_schema('tenant_stranger')",
            "select tenantry.create_tenant_schemas('{tenant_none}')", "select tenantry.create_tenant_schemas('{elsewhere}')",
            "select tenantry.create_tenant_schemas('{tenant_aa, tenant_none}')",
            "select tenantry.create_tenant_schemas('{null}')",
            "update tenantry.tenants set schema_name = 'mine' where slug = 'aa'; select tenantry.create_tenant_schemas('{mine}')",
        ])
    func strangers(_ script: String) async throws {
        let place = try await Self.place.value
        for who in [Who.owner, .worker] {
            var connection = try Connection(ConnectionOptions(url: place.url(of: who)))
            #expect(Self.state(of: script, on: &connection) == "42501", "\(who)")
        }
    }

    @Test("A schema that is there is not made again, and nothing is granted on it")
    func existing() async throws {
        let place = try await Self.place.value
        var connection = try Connection(ConnectionOptions(url: place.url(of: .worker)))
        let script = """
            insert into tenantry.tenants (slug, account, schema_name, display_name) values ('stranger', 'aa', 'tenant_stranger', 'S');
            select tenantry.create_tenant_schemas('{tenant_stranger}');
            """
        #expect(Self.state(of: script, on: &connection) == "42P06")
        #expect(Self.state(of: "select * from tenant_stranger.secrets", on: &connection) == "42501")
    }

    @Test("Names that a worker puts before the functions' own are not found by them")
    func searchPath() async throws {
        let place = try await Self.place.value
        var owner = try Connection(ConnectionOptions(url: place.url(of: .owner)))
        let functions = try owner.query(Self.pinned).decode((String, Bool, String?).self)
        let names = [
            "create_tenant_schemas", "drop_tenant_schema", "end_session", "forget_letters", "forget_refused_jobs",
            "open_session", "record_reading", "record_request", "sign_in",
        ]
        #expect(functions.map(\.0) == names)
        for (name, isOpen, path) in functions {
            #expect(path == "search_path=pg_catalog, pg_temp", "\(name)")
            #expect(!isOpen, "\(name) is for nobody but those who are named")
        }
    }

    private static let pinned: Statement = """
        select p.proname::text, pg_catalog.has_function_privilege('public', p.oid, 'execute'), array_to_string(p.proconfig, '; ')
        from pg_catalog.pg_proc p where p.prosecdef and p.pronamespace = 'tenantry'::regnamespace order by 1
        """

    @Test("Every relation of the control schema has its line of grants, and there are no others")
    func listed() async throws {
        let place = try await Self.place.value
        var connection = try Connection(ConnectionOptions(url: place.url(of: .owner)))
        let relations = try connection.query(Self.relations).decode(String.self)
        #expect(ControlGrants.all.map { "\($0.relation)" }.sorted() == relations)
    }

    private static let relations: Statement = """
        select relname::text from pg_catalog.pg_class where relnamespace = 'tenantry'::regnamespace and relkind in ('r', 'p', 'v', 'm') order by 1
        """

    @Test("The page on operations has the same grants")
    func page() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "../../Sources/tenantry/tenantry.docc/Operations.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `tenantry.") }
        let expected = ControlGrants.all.map { grants in
            let columns = DatabaseRole.allCases.map { role in grants.privileges(of: role).map { "\($0)" } ?? "–" }
            return "| `tenantry.\(grants.relation)` | \(columns.joined(separator: " | ")) |"
        }
        for row in expected where !rows.contains(where: { $0 == row }) { Issue.record("Operations.md lacks: \(row)") }
        #expect(rows.count == expected.count)
    }

    /// A migrated database, in which ``lines`` are asked for.
    struct Place {
        let database: TestDatabase

        func url(of who: Who) -> String {
            switch who {
            case .owner: database.url
            case .worker: database.workerURL
            case .reader: database.readerURL
            case .api: database.apiURL
            }
        }
    }

    private static let place = Task {
        let place = Place(database: try await TestServers.shared.migratedDatabase())
        var connection = try Connection(ConnectionOptions(url: place.url(of: .owner)))
        try connection.run(
            script: """
                insert into tenantry.accounts (slug, display_name, plan) values ('aa', 'A', 'pro');
                insert into tenantry.tenants (slug, account, schema_name, display_name) values ('aa', 'aa', 'tenant_aa', 'A');
                select tenantry.create_tenant_schemas('{tenant_aa}');
                create schema tenant_stranger; create table tenant_stranger.secrets (a int);
                create schema elsewhere;
                """)
        return place
    }

    /// Runs a script in a transaction that is taken back.
    ///
    /// - Returns: the SQLSTATE of its failure; nil if it was done.
    static func state(of script: String, on connection: inout Connection) -> String? {
        do throws(PostgresError) {
            try connection.run(script: "begin; \(script); rollback")
            return nil
        } catch {
            try? connection.run(script: "rollback")
            return error.sqlState ?? "\(error)"
        }
    }
}
