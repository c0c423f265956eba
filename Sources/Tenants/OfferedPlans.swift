internal import Contract
internal import Postgres

/// The plans that an account may give to its tenants: a customer never chooses its own price.
struct OfferedPlans {
    private let offered: [String]
    private let existing: Set<String>

    /// - Parameter names: those that are asked for; if there are none, the database is not asked.
    init(of account: String, among names: [String], on database: inout Transaction) throws(PostgresError) {
        guard !names.isEmpty else {
            (offered, existing) = ([], [])
            return
        }
        existing = Set(try database.query(SQL.existing, names).decode(String.self))
        offered = try database.query(SQL.offered, account).first([String].self) ?? []
    }

    /// Why a tenant cannot have the plan; nil if it can.
    func refusal(of plan: String) -> Rejection? {
        guard existing.contains(plan) else { return .invalid("/plan", "there is no plan \"\(plan)\"") }
        guard !offered.contains(plan) else { return nil }
        let choice = offered.isEmpty ? "none: its tenants have the account's own" : offered.joined(separator: ", ")
        return Rejection(
            .forbidden, "the account's plan does not offer \"\(plan)\" to tenants; it offers \(choice)", field: "/plan")
    }

    enum SQL {
        static let existing: Statement = "select name from tenantry.plans where name = any($1)"
        static let offered: Statement = """
            select p.tenant_plans from tenantry.accounts a join tenantry.plans p on p.name = a.plan where a.slug = $1
            """
    }
}
