internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Accounts
@testable internal import Billing
@testable internal import Conversations
@testable internal import Corpus
@testable internal import Documents
@testable internal import Fleet
@testable internal import Jobs
@testable internal import Metering
@testable internal import People
@testable internal import Schema
@testable internal import Tenants
@testable internal import Usage

/// Every run-time statement is text that PostgreSQL accepts against the migrated schema. One that is missing in the lists here is found in
/// the sources, by its name.
@Suite struct StatementTests {
    private static func control() -> [Statement] {
        [
            FleetJobSender.SQL.issue, AggregationRequests.SQL.due, Directory.SQL.version, AuditLog.SQL.append,
            Directory.SQL.credentials, Directory.SQL.tenants, SealStore.SQL.seal, DeadLetterRow.SQL.write,
            DeadLetterRecord.SQL.remove,
            DeadLetterErasure.SQL.note, DeadLetterErasure.SQL.all, DeadLetterKeeper.SQL.state, DeadLetterKeeper.SQL.due,
            DeadLetterKeeper.SQL.removeUnseen, Housekeeping.SQL.removeErasures, Housekeeping.SQL.forgetRefusals,
            Refusal.SQL.count,
            Outbox.SQL.append,
            OutboxRelay.SQL.next, OutboxRelay.SQL.remove, OutboxRelay.SQL.postpone, Inbox.SQL.claim, Inbox.SQL.first,
            Inbox.SQL.keep,
            Leases.SQL.take, Leases.SQL.renew, Leases.SQL.giveBack, PostponedMessages.SQL.keep, PostponedMessages.SQL.next,
            PostponedMessages.SQL.postpone, PostponedMessages.SQL.remove, PostponedMessages.SQL.count, JobRates.SQL.ensure,
            JobRates.SQL.draw, WorkerHeartbeat.SQL.beat,
            WorkerHeartbeat.SQL.end, FleetFoundation.SQL.problems, BatchProcessor.SQL.setLockTimeout,
            HTTPJobEnding.SQL.end, HTTPJobEnding.SQL.endUnknown, Housekeeping.SQL.removeHTTPJobs,
            Housekeeping.SQL.removeSignInFailures, CredentialUses.SQL.note,
            Housekeeping.SQL.removeInbox, Housekeeping.SQL.removeWorkers, Housekeeping.SQL.removeQuarantineNotes,
            Housekeeping.SQL.removeCredentials, Quarantine.Notes.SQL.past,
            Quarantine.Notes.SQL.begin, Quarantine.Notes.SQL.end, Quarantine.Notes.SQL.takeBack,
            BilledAccount.SQL.accounts, BilledAccount.SQL.account, BilledTenant.SQL.tenants, UsageDifferences.SQL.differences,
            UsageDifferences.SQL.terms, UsageDifferences.SQL.pools, InvoiceBook.SQL.invoices, InvoiceBook.SQL.write,
            InvoiceBook.SQL.writeLines, InvoiceBook.SQL.close, InvoiceDispatchStore.SQL.claim, InvoiceDispatchStore.SQL.lines,
            InvoiceDispatchStore.SQL.keepCustomer,
            InvoiceDispatchStore.SQL.keepInvoice, InvoiceDispatchStore.SQL.keepItem, InvoiceDispatchStore.SQL.postpone,
            InvoiceDispatchStore.SQL.release,
            InvoiceDispatchStore.SQL.conclude, StripeAccounts.SQL.foreign,
            AlertReplay.SQL.next, KnownAlert.SQL.known, Alerts.SQL.topTenants, Alerts.SQL.write, Alerts.SQL.markPublished,
            CustomLimits.SQL.merge,
            CustomLimits.SQL.clear,
            Evaluation.SQL.lockAccounts, Evaluation.SQL.measureTenants, Evaluation.SQL.measurePools, Evaluation.SQL.noteTenants,
            Evaluation.SQL.notePools, HardLimits.SQL.limits, Meter.SQL.bump, Meter.SQL.delta, Meter.SQL.gauges,
            PeriodBook.SQL.periods,
            Plan.SQL.accounts,
            PoolSweep.SQL.take,
            PoolSweep.SQL.bump, Reevaluation.SQL.holdAll, Reevaluation.SQL.holdTenants, Reevaluation.SQL.holdPools,
            Reevaluation.SQL.lockAccount, Reevaluation.SQL.openAll, Reevaluation.SQL.openTenants, Reevaluation.SQL.openPools,
            AccountRules.SQL.planExists, AccountRules.SQL.timezoneExists, Accounts.SQL.create, Accounts.SQL.issue,
            Accounts.SQL.update,
            ChildTenants.SQL.places, ChildTenants.SQL.lock, TenantOpening.SQL.existing, OfferedPlans.SQL.existing,
            OfferedPlans.SQL.offered,
            TenantOpening.SQL.templates, TenantOpening.SQL.insert, TenantRow.SQL.hold, SuspensionSQL.suspend,
            SuspensionSQL.resume,
            ArchiveSQL.archive, ArchiveSQL.prolong, ArchiveSQL.restore, UpdateSQL.row, UpdateSQL.update, UpdateSQL.limits,
            TenantPurge.SQL.setLockTimeout, TenantPurge.SQL.hold, TenantPurge.SQL.namespace, TenantPurge.SQL.isGone,
            TenantPurge.SQL.revoke, TenantPurge.SQL.removeAdministrators,
            TenantPurge.SQL.forgetErasedMessages, TenantPurge.SQL.forgetErasedUsage, TenantPurge.SQL.finish, TenantPurge.SQL.note,
            DuePurges.SQL.due, Migrator.SQL.create, Migrator.SQL.drop,
            AdminSQL.hold, AdminSQL.made, AdminSQL.makers, AdminSQL.holdMaker, AdminSQL.handUpPeople, AdminSQL.handUpTokens,
            TokenSQL.revokeMade,
            TokenSQL.issue,
            TokenSQL.revoke, TokenSQL.revokeHandedOn, TokenSQL.hold, AdminSQL.create, AdminSQL.issue, AdminSQL.find,
            AdminSQL.revoke,
            AdminSQL.remove, Domain.SQL.state, SignIn.SQL.candidates, RotateSQL.hold,
            RotateSQL.endEarlier, TemplateStore.SQL.hold, TemplateStore.SQL.documents, TemplateStore.SavingSQL.save,
            TemplateStore.SavingSQL.hold,
            TemplateStore.SavingSQL.clear, TemplateStore.SavingSQL.addDocuments, TemplateStore.SavingSQL.addChunks,
            TemplateStore.SavingSQL.remove,
            CorpusSearch.SQL.schema, AggregateSQL.account, AggregateSQL.periods, AggregateSQL.tenants, AggregateSQL.schemas,
            AggregateSQL.changedPeriods, AggregateSQL.latePeriods, AggregateSQL.noteActivity, AggregateSQL.done,
            AggregateSQL.poolDifference, AggregateSQL.bookHours, AggregateSQL.bookDays,
            IdleTenants.SQL.note, TenantStatements.erased,
        ]
    }

    /// What the owner alone runs, when it migrates; and what changes plans.
    private static let owner: [Statement] = [
        Migrator.SQL.lock, Migrator.SQL.ledgerExists, Migrator.SQL.applied, Migrator.SQL.note, Migrator.SQL.outdatedTenants,
        Migrator.RoleSQL.database, Migrator.RoleSQL.exists, Migrator.RoleSQL.holders, Migrator.RoleSQL.flaw,
        Migrator.RoleSQL.isNews,
        Migrator.RoleSQL.removeSteps, Migrator.RoleSQL.saveSteps, Migrator.RoleSQL.saveRoles,
        Migrator.RoleSQL.mayMakeTemporaryTables,
        Migrator.RoleSQL.mayCreateInPublic, Migrator.RoleSQL.grantTenant, Migrator.RoleSQL.ungranted, Plan.SQL.save,
        Plan.SQL.removeLimits, Plan.SQL.saveLimits, Plan.SQL.removeOthers, InvoiceRetry.SQL.hold, InvoiceRetry.SQL.startOver,
        InvoiceRetry.SQL.forgetItems, InvoiceRetry.SQL.forgetCustomer, InvoiceRetry.SQL.retry,
    ]

    private static func tenant(_ schema: Identifier) -> [Statement] {
        [
            TenantStatements.log(schema), TenantStatements.logSparingErased(schema), TenantStatements.describe(schema),
            TenantStatements.noteLate(schema), FeedbackSQL.rate(schema), ErasureSQL.conversation(schema), ErasureSQL.user(schema),
            RecountSQL.flowDifference(schema), RecountSQL.lastActivity(schema), RecountSQL.gaugeDifference(schema),
            TenantSettings.SQL.hold(schema), SettingsSize.SQL.bytes(schema),
            TenantSettings.SQL.save(schema), TenantSettings.SQL.remove(schema),
            DocumentStore.SQL.known(schema),
            DocumentStore.SQL.upsertDocuments(schema), DocumentStore.SQL.removeChunks(schema),
            DocumentStore.SQL.addChunks(schema),
            DocumentStore.SQL.remove(schema), TemplateStore.SQL.copySettings(schema), TemplateStore.SQL.copyDocuments(schema),
            TemplateStore.SQL.copyChunks(schema), CorpusSearch.SQL.search(schema), RecountSQL.rollUp(schema),
        ]
    }

    /// The files in which statements are listed.
    private static let files = [#filePath, readsFile]

    /// What only other functions build their statements from.
    private static let buildingBlocks: Set<String> = [
        "ErasureSQL.erase", "Evaluation.SQL.measure", "Evaluation.SQL.note", "SeriesSQL.months", "SeriesSQL.sums",
    ]

    @Test("Every statement that the sources declare is listed here, and none is written where it is run")
    func complete() throws {
        let sources = try StatementSources(besides: ["Postgres", "tenantry"])
        #expect(sources.declared.count > 150, "the sources were read")
        let listed = try Self.files.reduce(into: Set()) { names, file in names.formUnion(try StatementSources.names(in: file)) }
        for (name, place) in sources.declared.sorted(by: { $0.key < $1.key })
        where !listed.contains(name) && !Self.buildingBlocks.contains(name) {
            Issue.record("\(name) (\(place)) is not listed in StatementTests")
        }
        for place in sources.anonymous {
            Issue.record("\(place): a statement without a name: make it a `static let`, and list it")
        }
    }

    /// Names without a schema, where a relation is expected, would go by the `search_path`.
    @Test("Every statement prepares on a real server, for the control schema and for a tenant's, with an empty search_path")
    func prepare() async throws {
        let (database, schema) = try await Self.database()
        try Self.prepare(
            Self.control() + Self.webhooks + Self.tenant(schema)
                + Self.reads + Self.tenantReads(schema) + Self.owner + Self.changes + Self.api,
            on: database.url, "")
    }

    @Test("What workers run, a worker's role may run; what commands show, a reader's role may read; the API's, too")
    func mayRun() async throws {
        let (database, schema) = try await Self.database()
        try Self.prepare(Self.control() + Self.webhooks + Self.tenant(schema), on: database.workerURL, "explain execute")
        try Self.prepare(Self.reads + Self.tenantReads(schema), on: database.readerURL, "explain execute")
        let read = Self.reads.filter { $0.sql != AccessRecord.SQL.reading.sql }
        try Self.prepare(read + Self.tenantReads(schema) + Self.api, on: database.apiURL, "explain execute")
    }

    /// A database with a tenant whose schema has a name that must be quoted.
    private static func database() async throws -> (TestDatabase, Identifier) {
        let place = try await TestServers.shared.migratedDatabase()
        let options = ConnectionOptions(url: place.url)
        let schema = try Identifier("tenant_a\"b C")
        do {
            var database = try Connection(options)
            try database.run(
                script: """
                    insert into tenantry.accounts (slug, display_name, plan) values ('quoted', 'Quoted', 'pro');
                    insert into tenantry.tenants (slug, account, schema_name, display_name) values ('quoted', 'quoted', 'tenant_a"b C', 'Q');
                    """)
        }
        _ = try Migrator(options).run()
        return (place, schema)
    }

    /// Prepares statements one by one, and then does with each what `how` says: a plan that is explained has been checked for its rights.
    private static func prepare(_ statements: [Statement], on url: String, _ how: String) throws {
        var database = try Connection(ConnectionOptions(url: url))
        try database.run(script: "set search_path = ''")
        for (index, statement) in statements.enumerated() {
            do throws(PostgresError) {
                try database.run(script: "prepare statement_\(index) as \(statement.sql)")
                guard !how.isEmpty else { continue }
                let count = try database.query(parameterCount, "statement_\(index)").only(Int64.self)
                let nulls = count == 0 ? "" : "(" + Array(repeating: "null", count: Int(count)).joined(separator: ", ") + ")"
                try database.run(script: "\(how) statement_\(index)\(nulls)")
            } catch {
                Issue.record("\(error)\n\(statement.sql)")
            }
        }
    }

    private static let parameterCount: Statement =
        "select cardinality(parameter_types)::int8 from pg_catalog.pg_prepared_statements where name = $1"
}

@Suite struct MigratorTests {
    @Test("Several that migrate a fresh database at once wait for each other")
    func atOnce() async throws {
        let url = try await TestServers.shared.databaseURL()
        let control = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try Migrator(ConnectionOptions(url: url)).run().control } }
            return try await group.reduce(0, +)
        }
        #expect(control == Migration.control.count, "each migration once")
    }
}
