internal import Dispatch
public import Postgres
internal import Synchronization

/// Brings the control schema and every tenant's schema up to date.
///
/// Each migration of each schema is a transaction of its own and is noted in the ledger `tenantry.migrations`, so an interrupted run goes
/// on where it stopped. An advisory lock makes a second run wait for the first.
public struct Migrator: Sendable {
    private let options: ConnectionOptions

    public init(_ options: ConnectionOptions) {
        self.options = options
    }

    /// What a run did.
    public struct Report: Sendable, Equatable {
        /// Control migrations applied now.
        public var control = 0
        /// Tenant schemas that had something to apply, and got it.
        public var tenants = 0
    }

    /// Migrates the control schema, then the tenants' schemas on `parallelism` connections.
    ///
    /// - Parameter progress: called after each tenant with how many are done and how many there are; from any thread.
    /// - Throws: ``SchemaError``, or `PostgresError` when the server cannot be reached.
    public func run(parallelism: Int = 4, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws
        -> Report
    {
        var connection = try Connection(options)
        _ = try connection.query(SQL.lock)
        try connection.run(script: SQL.ledger)
        var report = Report()
        report.control = try Self.migrate(schema: "tenantry", with: Migration.control, on: &connection)
        let schemas = try Self.outdatedTenants(on: &connection)
        try migrate(schemas: schemas, parallelism: parallelism, progress: progress)
        report.tenants = schemas.count
        return report
    }

    /// The control migrations of this build that the database does not have yet; none if it is up to date.
    public static func missingControlMigrations(on connection: inout Connection) throws(PostgresError) -> [String] {
        guard try connection.query(SQL.ledgerExists).only(Bool.self) else { return Migration.control.map(\.name) }
        let applied = Set(try connection.query(SQL.applied, "tenantry").decode((String, String).self).map { $0.0 })
        return Migration.control.map(\.name).filter { !applied.contains($0) }
    }

    /// Makes a new tenant's schema with all its migrations, inside the caller's transaction.
    public static func create(
        tenantSchema schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        try create(tenantSchemas: [schema], on: &database)
    }

    /// Makes new tenants' schemas inside the caller's transaction: one script for all of them, and one statement for the ledger.
    ///
    /// Each holds some fifty locks until the commit; a PostgreSQL with default settings has room for 6,400 of all its sessions together.
    public static func create(
        tenantSchemas schemas: [Identifier], on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        guard !schemas.isEmpty else { return }
        try database.run(script: schemas.map { newTenant.joined(separator: $0.quoted) }.joined(separator: "\n"))
        _ = try database.query(SQL.noteNew, schemas.map(\.name), Migration.tenant.map(\.name), Migration.tenant.map(\.checksum))
    }

    /// All tenant migrations as one script, cut where the schema's name goes.
    private static let newTenant = Migration.tenant.map(\.sql).joined(separator: "\n")
        .split(separator: "{schema}", omittingEmptySubsequences: false)

    /// Removes a schema that is dropped from the ledger, in the caller's transaction.
    public static func forget(
        tenantSchema schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        _ = try database.query(SQL.forget, schema.name)
    }

    private func migrate(schemas: [String], parallelism: Int, progress: @escaping @Sendable (Int, Int) -> Void) throws {
        struct Progress {
            var next = 0
            var done = 0
            var failure: (any Error)?
        }
        let work = Mutex(Progress())
        DispatchQueue.concurrentPerform(iterations: min(parallelism, schemas.count)) { _ in
            do {
                var connection = try Connection(options)
                while let schema = work.withLock({ work -> String? in
                    guard work.failure == nil, work.next < schemas.count else { return nil }
                    work.next += 1
                    return schemas[work.next - 1]
                }) {
                    _ = try Self.migrate(schema: schema, with: Migration.tenant, on: &connection)
                    let done = work.withLock { work in
                        work.done += 1
                        return work.done
                    }
                    progress(done, schemas.count)
                }
            } catch {
                work.withLock { $0.failure = $0.failure ?? error }
            }
        }
        if let failure = work.withLock({ $0.failure }) { throw failure }
    }

    private static func outdatedTenants(on connection: inout Connection) throws(PostgresError) -> [String] {
        let current = Migration.tenant.map { "\($0.name):\($0.checksum)" }
        return try connection.query(SQL.outdatedTenants, current).decode(String.self)
    }

    private static func migrate(schema: String, with migrations: [Migration], on connection: inout Connection) throws -> Int {
        let identifier = try Identifier(schema)
        let applied = Dictionary(
            uniqueKeysWithValues: try connection.query(SQL.applied, schema).decode((String, String).self))
        let known = Set(migrations.map(\.name))
        if let stranger = applied.keys.sorted().first(where: { !known.contains($0) }) {
            throw SchemaError.unknownMigration(schema: schema, migration: stranger)
        }
        var count = 0
        for migration in migrations {
            if let checksum = applied[migration.name] {
                guard checksum == migration.checksum else {
                    throw SchemaError.checksumMismatch(schema: schema, migration: migration.name)
                }
                continue
            }
            do {
                try connection.transaction { transaction throws(PostgresError) in
                    try apply(migration, to: identifier, on: &transaction)
                }
            } catch {
                throw SchemaError.failed(schema: schema, migration: migration.name, cause: error)
            }
            count += 1
        }
        return count
    }

    private static func apply(
        _ migration: Migration, to schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) {
        try database.run(
            script: migration.sql.split(separator: "{schema}", omittingEmptySubsequences: false).joined(separator: schema.quoted))
        _ = try database.query(SQL.note, schema.name, migration.name, migration.checksum)
    }
}

extension Migrator {
    enum SQL {
        static let ledger = """
            create schema if not exists tenantry;
            create table if not exists tenantry.migrations (
                schema_name text not null,
                name        text not null,
                checksum    text not null,
                applied_at  timestamptz not null default now(),
                primary key (schema_name, name)
            );
            """
        static let lock: Statement = "select pg_advisory_lock(hashtext('tenantry.migrations'))"
        static let ledgerExists: Statement = "select to_regclass('tenantry.migrations') is not null"
        static let applied: Statement = "select name, checksum from tenantry.migrations where schema_name = $1 order by name"
        static let note: Statement = "insert into tenantry.migrations (schema_name, name, checksum) values ($1, $2, $3)"
        static let noteNew: Statement = """
            insert into tenantry.migrations (schema_name, name, checksum)
            select s.name, m.name, m.checksum from unnest($1::text[]) as s (name) cross join unnest($2::text[], $3::text[]) as m (name, checksum)
            """
        static let forget: Statement = "delete from tenantry.migrations where schema_name = $1"
        static let outdatedTenants: Statement = """
            select t.schema_name from tenantry.tenants t
            where t.state <> 'purged'
              and ((select count(*) from tenantry.migrations m
                    where m.schema_name = t.schema_name and m.name || ':' || m.checksum = any($1)) < cardinality($1)
                or (select count(*) from tenantry.migrations m where m.schema_name = t.schema_name) > cardinality($1))
            order by 1
            """
    }
}
