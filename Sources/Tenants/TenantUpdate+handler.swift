internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Tenants {
    /// `tenant.update`: usage is measured against a changed plan or changed limits at once, so alerts are part of the same transaction.
    static func tenantUpdate() -> any JobHandler {
        SingleJobHandler(TenantUpdate.self, presentTags: TenantTags.presentOfUpdate) { payload, job, database in
            if job.principal.role == .tenantAdmin || job.principal.role == .token, let field = payload.fieldOfTheAccount {
                throw Rejection(.forbidden, "\(field) is the account's to change, not the tenant's own", field: "/\(field)")
            }
            let tenant = try TenantRow.hold(for: job, on: &database)
            // The turn to change settings comes before the account's.
            let changesSettings =
                try payload.settings.map { try TenantSettings.patch($0, in: tenant.schema, on: &database) } ?? false
            let changesLimits = payload.plan != .keep || payload.limits != .keep
            if changesLimits { try Reevaluation.hold(account: tenant.account, tenant: tenant.slug, on: &database) }
            var changed = try updateRow(of: tenant, payload, on: &database)
            if try change(payload.limits, of: tenant, on: &database) { changed.append("limits") }
            if changesLimits, changed.contains("plan") || changed.contains("limits") {
                try Reevaluation.run(account: tenant.account, tenant: tenant.slug, on: &database)
            }
            if changesSettings { changed.append("settings") }
            let names = JSONValue.array(changed.sorted().map { .string($0) })
            if !changed.isEmpty {
                let event = OutboxMessage.event(
                    .tenantUpdated, account: tenant.account, tenant: tenant.slug, job: job.id, ["changed": names])
                try Outbox.append([event], on: &database)
            }
            return Reply(["tenant": .string(tenant.slug), "changed": names])
        }
    }

    /// - Returns: the names of the columns that have another value now.
    private static func updateRow(
        of tenant: TenantRow, _ payload: TenantUpdate, on database: inout Transaction
    ) throws -> [String] {
        guard payload.fieldOfTheAccount != nil else { return [] }
        let present = try database.query(UpdateSQL.row, tenant.slug).decode(TenantColumns.init)[0]
        let wanted = present.changed(by: payload)
        let changed = present.names(changedIn: wanted)
        guard !changed.isEmpty else { return [] }
        // The plan that it has already is no choice.
        if let plan = payload.plan.value, changed.contains("plan"),
            let refusal = try OfferedPlans(of: tenant.account, among: [plan], on: &database).refusal(of: plan)
        {
            throw refusal
        }
        if let stripe = payload.stripeAccount.value, changed.contains("stripe_account"),
            try !StripeAccounts.foreign([stripe], to: tenant.account, on: &database).isEmpty
        {
            throw StripeAccounts.refusal
        }
        _ = try database.query(
            UpdateSQL.update, tenant.slug, wanted.displayName, wanted.plan, wanted.environment, wanted.billingMode,
            wanted.stripeAccount)
        return changed
    }

    /// - Returns: whether the tenant has other limits of its own now.
    private static func change(_ limits: Change<Limits>, of tenant: TenantRow, on database: inout Transaction) throws -> Bool {
        guard limits != .keep else { return false }
        var present: [Metric: Limit] = [:]
        for (name, value) in try database.query(UpdateSQL.limits, tenant.slug, tenant.account).decode((String, Int64?).self) {
            guard let metric = Metric(rawValue: name) else { continue }
            present[metric] = value.map { .most($0) } ?? .unlimited
        }
        guard case .set(let wanted) = limits else {
            try CustomLimits.clear(account: tenant.account, tenant: tenant.slug, on: &database)
            return !present.isEmpty
        }
        try CustomLimits.merge(wanted, account: tenant.account, tenant: tenant.slug, on: &database)
        return wanted.ordered.contains { present[$0.metric] != $0.limit }
    }
}

/// The columns that `tenant.update` may change, in the order of ``UpdateSQL/row``.
private struct TenantColumns {
    var displayName: String
    /// nil: the account's.
    var plan: String?
    var environment: String
    var billingMode: String
    var stripeAccount: String?

    func changed(by payload: TenantUpdate) -> TenantColumns {
        var columns = self
        if let name = payload.displayName { columns.displayName = name }
        if payload.plan != .keep { columns.plan = payload.plan.value }
        if let environment = payload.environment { columns.environment = environment }
        if let mode = payload.billingMode { columns.billingMode = mode.rawValue }
        if payload.stripeAccount != .keep { columns.stripeAccount = payload.stripeAccount.value }
        return columns
    }

    /// Compared byte by byte, as PostgreSQL does: `String` takes for equal what Unicode calls canonically equivalent.
    func names(changedIn other: TenantColumns) -> [String] {
        zip(named, other.named).filter { $0.value.map { Array($0.utf8) } != $1.value.map { Array($0.utf8) } }.map { $0.0.name }
    }

    private var named: [(name: String, value: String?)] {
        [
            ("display_name", displayName), ("plan", plan), ("environment", environment), ("billing_mode", billingMode),
            ("stripe_account", stripeAccount),
        ]
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
