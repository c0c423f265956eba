internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import Schema

/// The end of a tenant, in the caller's transaction: its schema is dropped with all that is in it, and proved to be gone. What was metered
/// stays because it may still be billed, and the tenant's row stays so that its slug is never given to another.
struct TenantPurge {
    /// What was deleted.
    struct Proof {
        let schema: Identifier
        /// By table.
        let rows: [(table: String, count: Int64)]

        var counts: JSONValue { .object(Dictionary(uniqueKeysWithValues: rows.map { ($0.table, .int($0.count)) })) }

        /// As it stands in answers and events. There is only a proof if the schema was checked to be gone.
        var result: JSONValue { ["schema": .string(schema.name), "schema_is_gone": true, "rows": counts] }
    }

    private let slug: String
    private let account: String
    private let schema: Identifier
    private let wasCounted: Bool

    /// How long a purge waits for others who use the schema. If one of them takes long (a dump, an export), the purge gives up and is tried
    /// again later, because the jobs that wait behind it would have to wait as long.
    private static let lockTimeoutMilliseconds = "2000"

    /// Purges a tenant in whatever state it is.
    ///
    /// - Throws: `Rejection` (`tenant_unknown`) if it is purged already; ``SchemaRemains``; `PostgresError`.
    static func run(_ slug: String, jobID: String, on database: inout Transaction) throws -> Proof {
        guard let purge = try TenantPurge(slug, isDue: false, on: &database) else {
            throw Rejection(.tenantUnknown, "tenant \(slug) was purged")
        }
        return try purge.run(jobID: jobID, on: &database)
    }

    /// Purges an archived tenant whose time has come, as the fleet's own duty.
    ///
    /// - Returns: nil if there is nothing to do any more.
    static func runDue(_ slug: String, on database: inout Transaction) throws -> Proof? {
        guard let purge = try TenantPurge(slug, isDue: true, on: &database) else { return nil }
        let jobID = "purge-\(slug)"
        let proof = try purge.run(jobID: jobID, on: &database)
        try AuditLog.append(
            AuditEntry(
                account: purge.account, tenant: slug, credential: "fleet", role: "fleet", actor: "fleet",
                kind: Kind.tenantDelete.name, jobID: jobID,
                details: ["result": ["tenant": .string(slug), "state": "purged", "purged": proof.result]]),
            on: &database)
        return proof
    }

    /// Locks the tenant's row; nil if the tenant is purged, or (`isDue`) if it is not to be purged yet.
    private init?(_ slug: String, isDue: Bool, on database: inout Transaction) throws {
        _ = try database.query(SQL.setLockTimeout)
        let found = try database.query(SQL.hold, slug).first((String, String, String, Bool?).self)
        guard let (account, schema, stateName, isTime) = found, let state = TenantState(rawValue: stateName), state != .purged
        else {
            return nil
        }
        guard !isDue || isTime == true else { return nil }
        self.slug = slug
        self.account = account
        self.schema = try Identifier(schema)
        wasCounted = Set<TenantState>.counted.contains(state)
    }

    /// Locks are taken in this order: the tenant's row, its tables as jobs take them, its counters, its account's row. Jobs take the tables
    /// before the counters, too, so a purge and a job wait for each other and do not deadlock.
    private func run(jobID: String, on database: inout Transaction) throws -> Proof {
        let namespace = try database.query(SQL.namespace, schema.name).first(Int64.self)
        let proof = try Proof(schema: schema, rows: Migrator.drop(tenantSchema: schema, on: &database))
        guard try database.query(SQL.isGone, schema.name, namespace ?? 0).only(Bool.self) else {
            throw SchemaRemains(schema: schema.name)
        }
        try releaseGauges(on: &database)
        try withdraw(on: &database)
        try note(proof, jobID: jobID, on: &database)
        return proof
    }

    /// Takes the tenant's documents and bytes out of its account's gauges. Flows, such as messages, are not given back: they were used.
    private func releaseGauges(on database: inout Transaction) throws {
        try Meter.releaseGauges(of: slug, account: account, on: &database)
        if wasCounted { try ChildTenants.book(-1, account: account, on: &database) }
    }

    /// Withdraws the tenant's credentials, and removes its administrators, its webhooks, its limits and the notes of what was erased.
    private func withdraw(on database: inout Transaction) throws(PostgresError) {
        for statement in [
            SQL.revoke, SQL.removeAdministrators, SQL.removeWebhooks, SQL.forgetEvents, SQL.forgetErasedMessages,
            SQL.forgetErasedUsage,
        ] {
            try database.send(statement, slug)
        }
        _ = try database.collect()
        try CustomLimits.clear(account: account, tenant: slug, on: &database)
        try DeadLetterErasure.note(slug, on: &database)
    }

    /// Sets the tenant's state, keeps the proof in `tenantry.purges`, and puts the event into the outbox.
    private func note(_ proof: Proof, jobID: String, on database: inout Transaction) throws {
        try database.send(SQL.finish, slug)
        try database.send(SQL.note, slug, account, schema.name, JSONText(proof.counts.serialised()))
        _ = try database.collect()
        let event = OutboxMessage.event(
            .tenantPurged, account: account, tenant: slug, job: jobID, ["state": "purged", "purged": proof.result])
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
        static let setLockTimeout = Statement(
            "select pg_catalog.set_config('lock_timeout', '\(lockTimeoutMilliseconds)', true)")
        static let hold: Statement = """
            select account, schema_name, state, state = 'archived' and purge_at <= now() from tenantry.tenants where slug = $1 for update
            """
        static let namespace: Statement = "select oid::int8 from pg_catalog.pg_namespace where nspname = $1"
        static let isGone: Statement = """
            select pg_catalog.to_regnamespace(pg_catalog.quote_ident($1)) is null
               and not exists (select from pg_catalog.pg_class where relnamespace = $2::oid)
            """
        static let revoke: Statement = """
            update tenantry.credentials set revoked_at = now() where tenant = $1 and revoked_at is null
            """
        static let removeAdministrators: Statement = "delete from tenantry.administrators where tenant = $1"
        static let removeWebhooks: Statement = "delete from tenantry.webhooks where tenant = $1"
        /// What is still to be sent to the account goes when it has been.
        static let forgetEvents: Statement = """
            delete from tenantry.webhook_events e where e.tenant = $1 and not exists (
                select from tenantry.webhook_deliveries d where d.event = e.id and d.state = 'pending'
            )
            """
        static let forgetErasedMessages: Statement = "delete from tenantry.erased_messages where tenant = $1"
        static let forgetErasedUsage: Statement = "delete from tenantry.erased_usage where tenant = $1"
        static let finish: Statement = """
            update tenantry.tenants set state = 'purged', purged_at = now(), updated_at = now() where slug = $1
            """
        static let note: Statement = """
            insert into tenantry.purges (tenant, account, schema_name, row_counts, schema_is_gone) values ($1, $2, $3, $4, true)
            """
    }
}
