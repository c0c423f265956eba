internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Tenants {
    /// `tenant.update`: what changes of plan and limits is measured at once, so that alerts follow in the same transaction.
    static func tenantUpdate() -> any JobHandler {
        SingleJobHandler(TenantUpdate.self) { payload, job, database in
            if job.principal.role == .tenantAdmin || job.principal.role == .token, let field = payload.fieldOfTheAccount {
                throw Rejection(.forbidden, "\(field) is the account's to change, not the tenant's own", field: "/\(field)")
            }
            let tenant = try TenantRow.hold(for: job, on: &database)
            let changesLimits = payload.plan != .keep || payload.limits != .keep
            if changesLimits { try Reevaluation.hold(account: tenant.account, tenant: tenant.slug, on: &database) }
            var changed = try updateRow(of: tenant, payload, on: &database)
            if try change(payload.limits, of: tenant, on: &database) { changed.append("limits") }
            if changesLimits, changed.contains("plan") || changed.contains("limits") {
                try Reevaluation.run(account: tenant.account, tenant: tenant.slug, on: &database)
            }
            if let settings = payload.settings, try TenantSettings.patch(settings, in: tenant.schema, on: &database) {
                changed.append("settings")
            }
            let names = JSONValue.array(changed.sorted().map { .string($0) })
            if !changed.isEmpty {
                let event = Outbox.Entry.event(
                    .tenantUpdated, account: tenant.account, tenant: tenant.slug, job: job.id, ["changed": names])
                try Outbox.append([event], on: &database)
            }
            return Reply(["tenant": .string(tenant.slug), "changed": names])
        }
    }

    /// - Returns: the columns that have another value now.
    private static func updateRow(of tenant: TenantRow, _ payload: TenantUpdate, on database: inout Transaction) throws
        -> [String]
    {
        guard payload.fieldOfTheAccount != nil else { return [] }
        if let plan = payload.plan.value {
            var parameters = Parameters()
            parameters.append([plan])
            guard try database.query(TenantOpening.SQL.plans, parameters).count == 1 else {
                throw Rejection.invalid("/plan", "there is no plan \"\(plan)\"")
            }
        }
        let before = try database.query(UpdateSQL.row, tenant.parameters())
        var wanted: [(name: String, value: String?)] = (0..<before.columnCount).map {
            (before.columnNames[$0], before.optionalText(0, $0))
        }
        let present = wanted
        if let name = payload.displayName { wanted[0].value = name }
        if payload.plan != .keep { wanted[1].value = payload.plan.value }
        if let environment = payload.environment { wanted[2].value = environment }
        if let mode = payload.billingMode { wanted[3].value = mode.rawValue }
        if payload.stripeAccount != .keep { wanted[4].value = payload.stripeAccount.value }
        // PostgreSQL tells apart what Unicode calls canonically equivalent.
        let changed = zip(present, wanted).filter { $0.value.map { Array($0.utf8) } != $1.value.map { Array($0.utf8) } }
        guard !changed.isEmpty else { return [] }
        if let stripe = payload.stripeAccount.value, changed.contains(where: { $1.name == "stripe_account" }),
            try !StripeAccounts.foreign([stripe], to: tenant.account, on: &database).isEmpty
        {
            throw StripeAccounts.refusal
        }
        var parameters = tenant.parameters()
        for (_, value) in wanted { parameters.append(value) }
        _ = try database.query(UpdateSQL.update, parameters)
        return changed.map { $0.1.name }
    }

    /// - Returns: whether the tenant has other limits of its own now.
    private static func change(_ limits: Change<Limits>, of tenant: TenantRow, on database: inout Transaction) throws -> Bool {
        guard limits != .keep else { return false }
        var parameters = tenant.parameters()
        parameters.append(tenant.account)
        let rows = try database.query(UpdateSQL.limits, parameters)
        var present: [Metric: Limit] = [:]
        for row in 0..<rows.count {
            guard let metric = Metric(rawValue: rows.text(row, 0)) else { continue }
            present[metric] = rows.optionalInt(row, 1).map { .most($0) } ?? .unlimited
        }
        guard case .set(let wanted) = limits else {
            try CustomLimits.clear(account: tenant.account, tenant: tenant.slug, on: &database)
            return !present.isEmpty
        }
        try CustomLimits.merge(wanted, account: tenant.account, tenant: tenant.slug, on: &database)
        return wanted.ordered.contains { present[$0.metric] != $0.limit }
    }
}

enum UpdateSQL {
    static let row: Statement = """
        select display_name, plan, environment, billing_mode, stripe_account from tenantry.tenants where slug = $1
        """
    static let update: Statement = """
        update tenantry.tenants
        set display_name = $2, plan = $3, environment = $4, billing_mode = $5, stripe_account = $6, updated_at = now()
        where slug = $1
        """
    static let limits: Statement = "select metric, limit_value from tenantry.custom_limits where tenant = $1 and account = $2"
}
