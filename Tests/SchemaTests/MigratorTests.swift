internal import Foundation
internal import Postgres
internal import Schema
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite struct MigratorTests {
    @Test func `An empty database gets everything, and a second run finds nothing to do`() async throws {
        let options = try await freshDatabase()
        let first = try Migrator(options).run()
        #expect(first.control == Migration.control.count && first.tenants == 0)
        let second = try Migrator(options).run()
        #expect(second.control == 0 && second.tenants == 0)
        #expect(try missing(options).isEmpty)
    }

    @Test func `A database without the schema is told by what it lacks`() async throws {
        let options = try await freshDatabase()
        #expect(try missing(options) == Migration.control.map(\.name))
    }

    @Test func `Tenants are migrated side by side, and an interrupted run goes on where it stopped`() async throws {
        let options = try await freshDatabase()
        _ = try Migrator(options).run()
        try insertTenants(40, options)
        // The stranger in tenant_30's place makes the run stop somewhere in the middle.
        try run("create schema tenant_30", options)
        let failure = #expect(throws: SchemaError.self) { try Migrator(options).run(parallelism: 4) }
        guard case .failed("tenant_30", "tenant_0001_foundation", _)? = failure else {
            Issue.record("the error names the schema and the migration: \(String(describing: failure))")
            return
        }
        let done = try count(
            "select count(distinct schema_name) from tenantry.migrations where schema_name like 'tenant\\_%'", options)
        #expect(done < 40)
        try run("drop schema tenant_30", options)
        let progress = Mutex<[Int]>([])
        let report = try Migrator(options).run(parallelism: 4) { done, total in
            progress.withLock { $0.append(done * 1_000 + total) }
        }
        #expect(report.tenants == 40 - Int(done))
        #expect(progress.withLock { $0.count } == report.tenants)
        let tables = "select count(*) from pg_tables where schemaname ~ '^tenant_[0-9]+$' and tablename = 'messages'"
        #expect(try count(tables, options) == 40)
    }

    @Test func `A migration that was changed after it had been applied is refused by name`() async throws {
        let options = try await freshDatabase()
        _ = try Migrator(options).run()
        try run("update tenantry.migrations set checksum = 'other' where name = 'control_0001_foundation'", options)
        let error = #expect(throws: SchemaError.self) { try Migrator(options).run() }
        #expect("\(try #require(error))".contains("control_0001_foundation was changed"))
    }

    @Test func `A database newer than the build is refused`() async throws {
        let options = try await freshDatabase()
        _ = try Migrator(options).run()
        try run("insert into tenantry.migrations values ('tenantry', 'control_9999_later', 'x')", options)
        let error = #expect(throws: SchemaError.self) { try Migrator(options).run() }
        #expect("\(try #require(error))".contains("control_9999_later is not known to this build"))
    }

    @Test func `A tenant's changed migration is found, too`() async throws {
        let options = try await freshDatabase()
        _ = try Migrator(options).run()
        try insertTenants(2, options)
        _ = try Migrator(options).run()
        try run("update tenantry.migrations set checksum = 'other' where schema_name = 'tenant_2'", options)
        let error = #expect(throws: SchemaError.self) { try Migrator(options).run() }
        #expect("\(try #require(error))".contains("schema tenant_2"))
    }

    @Test(
        "Every migration's file is in the list, in the order of the names",
        arguments: [("control", Migration.control), ("tenant", Migration.tenant)])
    func list(folder: String, migrations: [Migration]) throws {
        let migrationsURL = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Schema/Migrations/\(folder)")
        let files = try FileManager.default.contentsOfDirectory(atPath: migrationsURL.path).filter { $0.hasSuffix(".sql") }
        #expect(migrations.map { $0.name + ".sql" } == files.sorted())
    }

    private func freshDatabase() async throws -> ConnectionOptions {
        ConnectionOptions(url: try await TestServers.shared.databaseURL())
    }

    private func missing(_ options: ConnectionOptions) throws -> [String] {
        var connection = try Connection(options)
        return try Migrator.missingControlMigrations(on: &connection)
    }

    private func insertTenants(_ count: Int, _ options: ConnectionOptions) throws {
        try run(
            """
            insert into tenantry.plans values ('p', 'P', '{100}');
            insert into tenantry.accounts (slug, display_name, plan) values ('aa', 'A', 'p');
            insert into tenantry.tenants (slug, account, schema_name, display_name)
            select 't-' || n, 'aa', 'tenant_' || n, 'T' from generate_series(1, \(count)) n;
            """, options)
    }

    private func run(_ script: String, _ options: ConnectionOptions) throws {
        var connection = try Connection(options)
        try connection.run(script: script)
    }

    private func count(_ sql: String, _ options: ConnectionOptions) throws -> Int64 {
        var connection = try Connection(options)
        return try connection.query(Statement(sql)).only(Int64.self)
    }
}
