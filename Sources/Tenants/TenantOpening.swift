internal import Contract
internal import Documents
internal import Jobs
internal import Metering
internal import Postgres
internal import Schema

/// Opens tenants of one account for one job, in the caller's transaction: rows, schemas, limits, template, settings, count and events.
struct TenantOpening {
    let account: String
    let jobID: String

    /// The job that made a tenant, as it stands in `tenantry.tenants.created_by`.
    private var creator: String { "\(account)/\(jobID)" }

    /// Opens the tenants that can be opened. One that is refused leaves nothing behind and does not stop the others.
    ///
    /// - Parameter tenants: each slug once. A tenant with a template has to come alone, because a template that does not fit is thrown.
    /// - Returns: an outcome for each, in order.
    func open(_ tenants: [TenantCreate], on database: inout Transaction) throws -> [OpeningOutcome] {
        // Copying documents takes the account's turn before the account's row is locked, as ingestion does: the same order everywhere.
        if tenants.contains(where: { $0.template != nil }) { try takeTurn(on: &database) }
        var places = try ChildTenants(of: account, on: &database)
        let references = try References(of: tenants, account: account, on: &database)
        var outcomes = [OpeningOutcome?](repeating: nil, count: tenants.count)
        try noteExisting(Array(tenants.indices), tenants, &outcomes, on: &database)
        for (index, tenant) in tenants.enumerated() where outcomes[index] == nil {
            outcomes[index] = refusal(of: tenant, prefix: places.slugPrefix, references).map { .refused($0) }
        }
        var fresh: [Int] = []
        var waiting = tenants.indices.filter { outcomes[$0] == nil }
        while !waiting.isEmpty {
            let fitting = Array(waiting.prefix(places.room(for: waiting.count)))
            guard !fitting.isEmpty else {
                for index in waiting { outcomes[index] = .refused(places.refusal) }
                break
            }
            waiting.removeFirst(fitting.count)
            let inserted = try insert(fitting.map { tenants[$0] }, on: &database)
            let added = fitting.filter { inserted.contains(tenants[$0].slug) }
            try places.take(added.count, on: &database)
            fresh += added
            // Another job has made a tenant of this slug meanwhile; the place is free for the next tenant.
            let lost = fitting.filter { !inserted.contains(tenants[$0].slug) }
            for index in lost { outcomes[index] = .refused(Self.slugTaken(tenants[index].slug)) }
            try noteExisting(lost, tenants, &outcomes, on: &database)
        }
        let schemas = try furnish(fresh.map { tenants[$0] }, on: &database)
        for (index, schema) in zip(fresh, schemas) { outcomes[index] = .created(schema: schema) }
        return outcomes.map { outcome in
            guard let outcome else { preconditionFailure("a tenant was left without an outcome") }
            return outcome
        }
    }

    /// Takes the account's turn, which has to come before its row is locked; held until the commit.
    func takeTurn(on database: inout Transaction) throws(PostgresError) {
        try HardLimits.takeTurn(account: account, on: &database)
    }

    /// Fills in the outcomes of those whose slug is taken already.
    private func noteExisting(
        _ indices: [Int], _ tenants: [TenantCreate], _ outcomes: inout [OpeningOutcome?], on database: inout Transaction
    ) throws {
        guard !indices.isEmpty else { return }
        let existing = try database.query(SQL.existing, indices.map { tenants[$0].slug }).decode(ExistingTenant.init)
        let tenantOf = Dictionary(uniqueKeysWithValues: existing.map { ($0.slug, $0) })
        for index in indices {
            guard let tenant = tenantOf[tenants[index].slug] else { continue }
            let byThisJob = tenant.createdBy == creator
            let isThere = tenant.account == account && tenant.state != TenantState.purged.rawValue
            outcomes[index] =
                isThere || byThisJob
                ? .exists(schema: try Identifier(tenant.schema), byThisJob: byThisJob)
                : .refused(Self.slugTaken(tenant.slug))
        }
    }

    static func slugTaken(_ slug: String) -> Rejection {
        Rejection(.slugTaken, "there is a tenant \(slug) already, or was one", field: "/slug")
    }

    private func refusal(of tenant: TenantCreate, prefix: String?, _ references: References) -> Rejection? {
        if let prefix, !tenant.slug.hasPrefix(prefix) {
            return .invalid("/slug", "must begin with the account's prefix \"\(prefix)\"")
        }
        if let plan = tenant.plan, let refusal = references.plans.refusal(of: plan) { return refusal }
        if let template = tenant.template, !references.templates.contains(template) { return Self.noTemplate(template) }
        if let stripe = tenant.stripeAccount, references.foreignStripeAccounts.contains(stripe) { return StripeAccounts.refusal }
        return nil
    }

    private static func noTemplate(_ name: String) -> Rejection {
        .invalid("/template", "there is no template \"\(name)\"")
    }

    /// - Returns: the slugs of those inserted; the others were made by another job meanwhile.
    private func insert(_ tenants: [TenantCreate], on database: inout Transaction) throws -> Set<String> {
        // Always in the order of their slugs, so that two jobs with the same slugs wait for each other and do not deadlock.
        let ordered = tenants.sorted { $0.slug.utf8.lexicographicallyPrecedes($1.slug.utf8) }
        let schemas = try ordered.map { try schema(of: $0).name }
        let inserted = try database.query(
            SQL.insert, account, creator, ordered.map(\.slug), schemas, ordered.map(\.displayName), ordered.map(\.environment),
            ordered.map(\.billingMode.rawValue), ordered.map(\.plan), ordered.map(\.stripeAccount))
        return Set(inserted.decode(String.self))
    }

    /// Gives new tenants their schemas, limits, template and settings, and puts the events `tenant.created` into the outbox.
    private func furnish(_ tenants: [TenantCreate], on database: inout Transaction) throws -> [Identifier] {
        guard !tenants.isEmpty else { return [] }
        let schemas = try tenants.map { try schema(of: $0) }
        try Migrator.create(tenantSchemas: schemas, on: &database)
        for schema in schemas { database.touch(schema) }
        for (tenant, schema) in zip(tenants, schemas) {
            if let limits = tenant.limits {
                try CustomLimits.merge(limits, account: account, tenant: tenant.slug, on: &database)
            }
            if let name = tenant.template {
                let applied = try TemplateStore.apply(
                    name, account: account, tenant: tenant.slug, schema: schema, on: &database)
                guard applied != nil else { throw Self.noTemplate(name) }
            }
            guard let settings = tenant.settings else { continue }
            if tenant.template == nil {
                try TenantSettings.fill(settings, in: schema, on: &database)
            } else {
                _ = try TenantSettings.patch(settings, in: schema, on: &database)
            }
        }
        let events = zip(tenants, schemas).map { tenant, schema in
            OutboxMessage.event(
                .tenantCreated, account: account, tenant: tenant.slug, job: jobID, ["schema": .string(schema.name)])
        }
        try Outbox.append(events, on: &database)
        return schemas
    }

    private func schema(of tenant: TenantCreate) throws(PostgresError) -> Identifier {
        try Identifier("tenant_" + tenant.slug.map { $0 == "-" ? "_" : String($0) }.joined())
    }
}

/// What became of a tenant that was to be opened.
enum OpeningOutcome {
    case created(schema: Identifier)
    /// It was there before; `byThisJob`: an earlier delivery of this job made it.
    case exists(schema: Identifier, byThisJob: Bool)
    case refused(Rejection)
}

extension TenantOpening {
    /// A tenant that has a slug already; its properties are the columns of ``SQL/existing``.
    private struct ExistingTenant {
        let slug: String
        let account: String
        let schema: String
        let state: String
        /// nil where no job made it.
        let createdBy: String?
    }

    /// What tenants refer to: which of the plans it may name, which of the templates exist, and which Stripe accounts belong to another account.
    private struct References {
        let plans: OfferedPlans
        let templates: Set<String>
        let foreignStripeAccounts: Set<String>

        init(of tenants: [TenantCreate], account: String, on database: inout Transaction) throws(PostgresError) {
            plans = try OfferedPlans(of: account, among: Set(tenants.compactMap(\.plan)).sorted(), on: &database)
            let templates = Set(tenants.compactMap(\.template)).sorted()
            self.templates =
                templates.isEmpty ? [] : Set(try database.query(SQL.templates, templates, account).decode(String.self))
            foreignStripeAccounts = try StripeAccounts.foreign(
                Set(tenants.compactMap(\.stripeAccount)), to: account, on: &database)
        }
    }

    enum SQL {
        static let existing: Statement = """
            select slug, account, schema_name, state, created_by from tenantry.tenants where slug = any($1)
            """
        static let templates: Statement = "select name from tenantry.templates where name = any($1) and account = $2"
        static let insert: Statement = """
            insert into tenantry.tenants
                (slug, account, schema_name, display_name, plan, environment, billing_mode, stripe_account, created_by)
            select t.slug, $1, t.schema_name, t.display_name, t.plan, t.environment, t.billing_mode, t.stripe_account, $2
            from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
                with ordinality as t (slug, schema_name, display_name, environment, billing_mode, plan, stripe_account, n)
            order by t.n
            on conflict do nothing returning slug
            """
    }
}
