internal import Dispatch
public import Postgres
internal import Synchronization

/// Brings the control schema and every tenant's schema up to date.
///
/// Each migration of each schema is a transaction of its own and is noted in the ledger `tenantry.migrations`, so an interrupted run goes
/// on where it stopped. An advisory lock makes a second run wait for the first.
///
/// The roles of workers, readers and the API, once they are known, get their grants at the end of each run: on what is new, and on what is old.
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
        /// The roles that were asked for.
        public var roles: [GrantedRole] = []
        /// Tenant schemas in which a role lacked something, and got it.
        public var granted = 0
    }

    /// Migrates the control schema, then the tenants' schemas on `parallelism` connections.
    ///
    /// - Parameters:
    ///   - roles: roles that are to be made or found, and have their grants from now on. Those of earlier runs keep theirs.
    ///   - progress: called after each tenant with how many are done and how many there are; from any thread.
    /// - Throws: ``SchemaError``, ``RoleError``, or `PostgresError` when the server cannot be reached.
    public func run(
        parallelism: Int = 4, roles: [RoleRequest] = [],
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Report {
        var connection = try Connection(options)
        _ = try connection.query(SQL.lock)
        try connection.run(script: SQL.ledger)
        var report = Report()
        report.control = try Self.migrate(schema: "tenantry", with: Migration.control, on: &connection)
        report.roles = try Self.settle(roles, on: &connection)
        try Self.publish(report.roles, on: &connection)
        try Self.grantControl(on: &connection)
        let outdated = try Self.outdatedTenants(on: &connection)
        try work(on: outdated, parallelism: parallelism, progress: progress) { schema, connection in
            _ = try Self.migrate(schema: schema, with: Migration.tenant, on: &connection)
        }
        report.tenants = outdated.count
        let ungranted = try Self.ungrantedTenants(on: &connection)
        try work(on: ungranted, parallelism: parallelism, progress: progress) { schema, connection in
            _ = try connection.query(RoleSQL.grantTenant, schema)
        }
        report.granted = ungranted.count
        return report
    }

    /// The control migrations of this build that the database does not have yet; none if it is up to date.
    public static func missingControlMigrations(on connection: inout Connection) throws(PostgresError) -> [String] {
        guard try connection.query(SQL.ledgerExists).only(Bool.self) else { return Migration.control.map(\.name) }
        let applied = Set(try connection.query(SQL.applied, "tenantry").decode((String, String).self).map { $0.0 })
        return Migration.control.map(\.name).filter { !applied.contains($0) }
    }

    /// Makes new tenants' schemas with all their migrations, inside the caller's transaction, in which their rows in `tenantry.tenants` are.
    ///
    /// Each holds some fifty locks until the commit; a PostgreSQL with default settings has room for 6,400 of all its sessions together.
    public static func create(tenantSchemas schemas: [Identifier], on database: inout Transaction) throws(PostgresError) {
        guard !schemas.isEmpty else { return }
        _ = try database.query(SQL.create, schemas.map(\.name))
    }

    /// Locks and drops a tenant's schema with all that is in it, inside the caller's transaction.
    ///
    /// - Returns: the rows of each of its tables.
    public static func drop(
        tenantSchema schema: Identifier, on database: inout Transaction
    ) throws(PostgresError) -> [(table: String, count: Int64)] {
        try database.query(SQL.drop, schema.name).decode((String, Int64).self).map { (table: $0.0, count: $0.1) }
    }

    /// Does something for each schema, on connections of their own beside each other. The first failure ends it.
    private func work(
        on schemas: [String], parallelism: Int, progress: @escaping @Sendable (Int, Int) -> Void,
        _ step: @Sendable (String, inout Connection) throws -> Void
    ) throws {
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
                    try step(schema, &connection)
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
        let isControl = schema.name == "tenantry"
        try database.run(
            script: isControl
                ? migration.sql
                : migration.sql.split(separator: "{schema}", omittingEmptySubsequences: false).joined(separator: schema.quoted))
        _ = try database.query(SQL.note, schema.name, migration.name, migration.checksum)
        // Who is at work in it meanwhile gets at a new table at once.
        if !isControl { _ = try database.query(RoleSQL.grantTenant, schema.name) }
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
        static let create: Statement = "select tenantry.create_tenant_schemas($1)"
        static let drop: Statement = "select table_name, row_count from tenantry.drop_tenant_schema($1)"
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
