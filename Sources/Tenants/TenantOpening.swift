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

    /// What became of one of them.
    enum Verdict {
        case created(schema: Identifier)
        /// It was there before; `byThisJob`: an earlier delivery of this job made it.
        case exists(schema: Identifier, byThisJob: Bool)
        case refused(Rejection)
    }

    /// Who made it, as `tenantry.tenants.created_by` remembers it.
    private var creator: String { "\(account)/\(jobID)" }

    /// Opens those that can be opened; a refused one leaves nothing behind, and is no harm to the others.
    ///
    /// - Parameter tenants: each slug once. One that names a template has to come alone: a template that does not fit is thrown.
    /// - Returns: a verdict for each, in order.
    func open(_ tenants: [TenantCreate], on database: inout Transaction) throws -> [Verdict] {
        // What copies documents takes its turn before it holds the account's row, as ingestions do.
        if tenants.contains(where: { $0.template != nil }) { try takeTurn(on: &database) }
        var places = try ChildTenants(of: account, on: &database)
        let known = try Known(of: tenants, account: account, on: &database)
        var verdicts = [Verdict?](repeating: nil, count: tenants.count)
        try judge(Array(tenants.indices), tenants, &verdicts, on: &database)
        for (index, tenant) in tenants.enumerated() where verdicts[index] == nil {
            verdicts[index] = refusal(of: tenant, prefix: places.slugPrefix, known).map { .refused($0) }
        }
        var fresh: [Int] = []
        var waiting = tenants.indices.filter { verdicts[$0] == nil }
        while !waiting.isEmpty {
            let fitting = Array(waiting.prefix(places.room(for: waiting.count)))
            guard !fitting.isEmpty else {
                for index in waiting { verdicts[index] = .refused(places.refusal) }
                break
            }
            waiting.removeFirst(fitting.count)
            let inserted = try insert(fitting.map { tenants[$0] }, on: &database)
            let added = fitting.filter { inserted.contains(tenants[$0].slug) }
            try places.take(added.count, on: &database)
            fresh += added
            // Somebody else was quicker; the place is free for the next.
            let lost = fitting.filter { !inserted.contains(tenants[$0].slug) }
            for index in lost { verdicts[index] = .refused(Self.slugTaken(tenants[index].slug)) }
            try judge(lost, tenants, &verdicts, on: &database)
        }
        let schemas = try furnish(fresh.map { tenants[$0] }, on: &database)
        for (index, schema) in zip(fresh, schemas) { verdicts[index] = .created(schema: schema) }
        return verdicts.map { verdict in
            guard let verdict else { preconditionFailure("a tenant was left without a verdict") }
            return verdict
        }
    }

    /// The account's turn, which goes before its row; held until the commit.
    func takeTurn(on database: inout Transaction) throws(PostgresError) {
        try HardLimits.takeTurn(account: account, on: &database)
    }

    /// Gives those that are there already their verdicts.
    private func judge(
        _ indices: [Int], _ tenants: [TenantCreate], _ verdicts: inout [Verdict?], on database: inout Transaction
    ) throws {
        guard !indices.isEmpty else { return }
        var parameters = Parameters()
        parameters.append(indices.map { tenants[$0].slug })
        let rows = try database.query(SQL.existing, parameters)
        let rowOf = Dictionary(uniqueKeysWithValues: (0..<rows.count).map { (rows.text($0, 0), $0) })
        for index in indices {
            guard let row = rowOf[tenants[index].slug] else { continue }
            let byThisJob = rows.optionalText(row, 4) == creator
            let isThere = rows.text(row, 1) == account && rows.text(row, 3) != TenantState.purged.rawValue
            verdicts[index] =
                isThere || byThisJob
                ? .exists(schema: try Identifier(rows.text(row, 2)), byThisJob: byThisJob)
                : .refused(Self.slugTaken(tenants[index].slug))
        }
    }

    static func slugTaken(_ slug: String) -> Rejection {
        Rejection(.slugTaken, "there is a tenant \(slug) already, or was one", field: "/slug")
    }

    private func refusal(of tenant: TenantCreate, prefix: String?, _ known: Known) -> Rejection? {
        if let prefix, !tenant.slug.hasPrefix(prefix) {
            return .invalid("/slug", "must begin with the account's prefix \"\(prefix)\"")
        }
        if let plan = tenant.plan, !known.plans.contains(plan) { return .invalid("/plan", "there is no plan \"\(plan)\"") }
        if let template = tenant.template, !known.templates.contains(template) { return Self.noTemplate(template) }
        if let stripe = tenant.stripeAccount, known.foreignStripeAccounts.contains(stripe) { return StripeAccounts.refusal }
        return nil
    }

    private static func noTemplate(_ name: String) -> Rejection {
        .invalid("/template", "there is no template \"\(name)\"")
    }

    /// - Returns: the slugs of those inserted; the others are somebody else's by now.
    private func insert(_ tenants: [TenantCreate], on database: inout Transaction) throws -> Set<String> {
        // In the order of their slugs: two that want the same ones wait for each other instead of blocking each other.
        let ordered = tenants.sorted { $0.slug.utf8.lexicographicallyPrecedes($1.slug.utf8) }
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(creator)
        parameters.append(ordered.map(\.slug))
        parameters.append(try ordered.map { try schema(of: $0).name })
        parameters.append(ordered.map(\.displayName))
        parameters.append(ordered.map(\.environment))
        parameters.append(ordered.map(\.billingMode.rawValue))
        var (plans, stripeAccounts) = (BinaryArray(.text), BinaryArray(.text))
        for tenant in ordered {
            plans.append(tenant.plan)
            stripeAccounts.append(tenant.stripeAccount)
        }
        parameters.append(plans)
        parameters.append(stripeAccounts)
        let rows = try database.query(SQL.insert, parameters)
        return Set((0..<rows.count).map { rows.text($0, 0) })
    }

    /// Gives new tenants all that is theirs: schema, limits, template and settings; and tells the world.
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
            Outbox.Entry.event(
                .tenantCreated, account: account, tenant: tenant.slug, job: jobID, ["schema": .string(schema.name)])
        }
        try Outbox.append(events, on: &database)
        return schemas
    }

    private func schema(of tenant: TenantCreate) throws(PostgresError) -> Identifier {
        try Identifier("tenant_" + tenant.slug.map { $0 == "-" ? "_" : String($0) }.joined())
    }
}

extension TenantOpening {
    /// Which of the plans and templates that tenants ask for there are, and which Stripe accounts are somebody else's.
    private struct Known {
        let plans: Set<String>
        let templates: Set<String>
        let foreignStripeAccounts: Set<String>

        init(of tenants: [TenantCreate], account: String, on database: inout Transaction) throws(PostgresError) {
            plans = try Self.names(SQL.plans, Set(tenants.compactMap(\.plan)), account: nil, on: &database)
            templates = try Self.names(SQL.templates, Set(tenants.compactMap(\.template)), account: account, on: &database)
            foreignStripeAccounts = try StripeAccounts.foreign(
                Set(tenants.compactMap(\.stripeAccount)), to: account, on: &database)
        }

        private static func names(
            _ statement: Statement, _ asked: Set<String>, account: String?, on database: inout Transaction
        ) throws(PostgresError) -> Set<String> {
            guard !asked.isEmpty else { return [] }
            var parameters = Parameters()
            parameters.append(asked.sorted())
            if let account { parameters.append(account) }
            let rows = try database.query(statement, parameters)
            return Set((0..<rows.count).map { rows.text($0, 0) })
        }
    }

    enum SQL {
        static let existing: Statement = """
            select slug, account, schema_name, state, created_by from tenantry.tenants where slug = any($1)
            """
        static let plans: Statement = "select name from tenantry.plans where name = any($1)"
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
