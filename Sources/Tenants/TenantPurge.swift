internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import Schema

/// The end of a tenant, in the caller's transaction: its schema is dropped with all that is in it, and proved to be gone. What was metered
/// stays, for it may be billed yet, and the row stays, so that the slug is nobody else's.
struct TenantPurge {
    /// What was there, and is gone.
    struct Report {
        let schema: Identifier
        /// By table.
        let rows: [(table: String, count: Int64)]

        var counts: JSONValue { .object(Dictionary(uniqueKeysWithValues: rows.map { ($0.table, .int($0.count)) })) }

        /// As it stands in answers and events. That the schema is gone was proved, or there would be no report.
        var result: JSONValue { ["schema": .string(schema.name), "schema_is_gone": true, "rows": counts] }
    }

    private let slug: String
    private let account: String
    private let schema: Identifier
    private let wasCounted: Bool

    /// How long it waits for those who are at work in the schema. They come first; and whoever holds it for long (a dump, an export) must
    /// not make the lanes wait that queue behind a purge.
    private static let patienceMilliseconds = "2000"

    /// Purges a tenant in whatever state it is.
    ///
    /// - Throws: `Rejection` (`tenant_unknown`) if it is purged already; ``SchemaRemains``; `PostgresError`.
    static func run(_ slug: String, jobID: String, on database: inout Transaction) throws -> Report {
        guard let purge = try TenantPurge(slug, isDue: false, on: &database) else {
            throw Rejection(.tenantUnknown, "tenant \(slug) was purged")
        }
        return try purge.run(jobID: jobID, on: &database)
    }

    /// Purges an archived tenant whose time has come, as the fleet's own duty.
    ///
    /// - Returns: nil if there is nothing to do any more.
    static func runDue(_ slug: String, on database: inout Transaction) throws -> Report? {
        guard let purge = try TenantPurge(slug, isDue: true, on: &database) else { return nil }
        let jobID = "purge-\(slug)"
        let report = try purge.run(jobID: jobID, on: &database)
        try AuditLog.append(
            AuditLog.Entry(
                account: purge.account, tenant: slug, credential: "fleet", role: "fleet", actor: "fleet",
                kind: Kind.tenantDelete.name, jobID: jobID,
                details: ["result": ["tenant": .string(slug), "state": "purged", "purged": report.result]]),
            on: &database)
        return report
    }

    /// Takes the tenant's row; nil if it is purged, or (`isDue`) if it is not to be purged yet.
    private init?(_ slug: String, isDue: Bool, on database: inout Transaction) throws {
        _ = try database.query(SQL.patience)
        var parameters = Parameters()
        parameters.append(slug)
        let rows = try database.query(SQL.hold, parameters)
        guard rows.count == 1, let state = TenantState(rawValue: rows.text(0, 2)), state != .purged else { return nil }
        guard !isDue || rows.bool(0, 3) else { return nil }
        self.slug = slug
        account = rows.text(0, 0)
        schema = try Identifier(rows.text(0, 1))
        wasCounted = Set<TenantState>.counted.contains(state)
    }

    /// The order of locks: the tenant's row, its tables as jobs take them, its counters, its account's row. A job takes the tables
    /// before the counters, too, so one of the two waits and neither is killed.
    private func run(jobID: String, on database: inout Transaction) throws -> Report {
        var name = Parameters()
        name.append(schema.name)
        let found = try database.query(SQL.namespace, name)
        let report = try Report(schema: schema, rows: takeAndCount(on: &database))
        if found.count == 1 { try database.run(script: "drop schema \(schema.quoted) cascade") }
        name.append(found.count == 1 ? found.int(0, 0) : 0)
        guard try database.query(SQL.isGone, name).bool(0, 0) else { throw SchemaRemains(schema: schema.name) }
        try Migrator.forget(tenantSchema: schema, on: &database)
        try settle(on: &database)
        try withdraw(on: &database)
        try note(report, jobID: jobID, on: &database)
        return report
    }

    /// Every table of the schema with its exact count of rows, none of which can change any more.
    private func takeAndCount(on database: inout Transaction) throws -> [(table: String, count: Int64)] {
        var parameters = Parameters()
        parameters.append(schema.name)
        parameters.append(Self.tablesAsJobsTakeThem)
        let found = try database.query(SQL.tables, parameters)
        let tables = try (0..<found.count).map { try Identifier(found.text($0, 0)) }
        guard !tables.isEmpty else { return [] }
        let names = tables.map { "\(schema.quoted).\($0.quoted)" }
        try database.run(script: "lock table \(names.joined(separator: ", ")) in access exclusive mode")
        let counts = try database.query(SQL.count(schema, tables))
        return tables.indices.map { (tables[$0].name, counts.int(0, $0)) }
    }

    /// Tables that one job touches, in its order; others come after them.
    private static let tablesAsJobsTakeThem = [
        "messages", "conversations", "active_users", "settings", "documents", "chunks", "usage_hourly",
    ]

    /// Takes what the tenant held out of its account's gauges. What it used of flows stays: it was used.
    private func settle(on database: inout Transaction) throws {
        try Meter.releaseGauges(of: slug, account: account, on: &database)
        if wasCounted { try ChildTenants.book(-1, account: account, on: &database) }
    }

    /// Nobody speaks for it any more.
    private func withdraw(on database: inout Transaction) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(slug)
        for statement in [SQL.revoke, SQL.removeAdministrators, SQL.forgetErasedMessages, SQL.forgetErasedUsage] {
            try database.send(statement, parameters)
        }
        _ = try database.collect()
        try CustomLimits.clear(account: account, tenant: slug, on: &database)
    }

    private func note(_ report: Report, jobID: String, on database: inout Transaction) throws {
        var parameters = Parameters()
        parameters.append(slug)
        try database.send(SQL.finish, parameters)
        parameters.append(account)
        parameters.append(schema.name)
        parameters.append(jsonb: String(decoding: report.counts.serialised(), as: UTF8.self))
        try database.send(SQL.note, parameters)
        _ = try database.collect()
        let event = Outbox.Entry.event(
            .tenantPurged, account: account, tenant: slug, job: jobID, ["state": "purged", "purged": report.result])
        try Outbox.append([event], on: &database)
    }
}

/// A schema that was dropped and is still there, or something in it.
struct SchemaRemains: Error, CustomStringConvertible {
    let schema: String

    var description: String { "schema \(schema) was dropped, and something of it is still there" }
}

extension TenantPurge {
    enum SQL {
        static let patience = Statement("select pg_catalog.set_config('lock_timeout', '\(patienceMilliseconds)', true)")
        static let hold: Statement = """
            select account, schema_name, state, state = 'archived' and purge_at <= now() from tenantry.tenants where slug = $1 for update
            """
        static let namespace: Statement = "select oid::int8 from pg_catalog.pg_namespace where nspname = $1"
        static let tables: Statement = """
            select c.relname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = $1 and c.relkind in ('r', 'p')
            order by array_position($2::text[], c.relname::text) nulls last, c.relname
            """
        static let isGone: Statement = """
            select pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) is null
               and not exists (select from pg_catalog.pg_class where relnamespace = $2::oid)
            """
        static let revoke: Statement = """
            update tenantry.credentials set revoked_at = now() where tenant = $1 and revoked_at is null
            """
        static let removeAdministrators: Statement = "delete from tenantry.administrators where tenant = $1"
        static let forgetErasedMessages: Statement = "delete from tenantry.erased_messages where tenant = $1"
        static let forgetErasedUsage: Statement = "delete from tenantry.erased_usage where tenant = $1"
        static let finish: Statement = """
            update tenantry.tenants set state = 'purged', purged_at = now(), updated_at = now() where slug = $1
            """
        static let note: Statement = """
            insert into tenantry.purges (tenant, account, schema_name, row_counts, schema_is_gone) values ($1, $2, $3, $4, true)
            """

        /// All tables in one row, a column each.
        static func count(_ schema: Identifier, _ tables: [Identifier]) -> Statement {
            let counts = tables.map { "(select count(*) from \(schema.quoted).\($0.quoted))" }
            return Statement("select \(counts.joined(separator: ", "))")
        }
    }
}
