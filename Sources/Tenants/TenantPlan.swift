internal import Contract
internal import Jobs
internal import Metering
public import Postgres

/// Gives a tenant a plan of its own, as an operator may: any that there is, whatever its account's plan offers.
public enum TenantPlan {
    /// Usage is measured against the plan at once, so alerts are part of the same transaction.
    ///
    /// - Parameters:
    ///   - plan: nil: the account's.
    ///   - actor: whom the audit log names.
    /// - Returns: whether it had another plan before.
    /// - Throws: `Rejection` where there is no such tenant (`tenant_unknown`) or plan (`invalid_payload`); `PostgresError`.
    public static func set(_ slug: String, to plan: String?, by actor: String, on database: inout Connection) throws -> Bool {
        try database.transaction { database in
            let found = try database.query(SQL.hold, slug).first((String, String, String?).self)
            guard let (account, state, present) = found, state != TenantState.purged.rawValue else {
                throw Rejection(.tenantUnknown, "there is no tenant \(slug)")
            }
            if let plan, try database.query(OfferedPlans.SQL.existing, [plan]).isEmpty {
                throw Rejection.invalid("/plan", "there is no plan \"\(plan)\"")
            }
            guard plan != present else { return false }
            try Reevaluation.hold(account: account, tenant: slug, on: &database)
            _ = try database.query(SQL.set, slug, plan)
            try Reevaluation.run(account: account, tenant: slug, on: &database)
            let id = "command-\(SystemClock.nowMicroseconds())"
            try Outbox.append(
                [.event(.tenantUpdated, account: account, tenant: slug, job: id, ["changed": ["plan"]])], on: &database)
            try AuditLog.append(
                .init(
                    command: Kind.tenantUpdate.name, account: account, tenant: slug, actor: actor, jobID: id,
                    details: ["payload": ["plan": plan.map { .string($0) } ?? .null], "result": ["tenant": .string(slug)]]),
                on: &database)
            return true
        }
    }

    enum SQL {
        static let hold: Statement = "select account, state, plan from tenantry.tenants where slug = $1 for no key update"
        static let set: Statement = "update tenantry.tenants set plan = $2, updated_at = now() where slug = $1"
    }
}
