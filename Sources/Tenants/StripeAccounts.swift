internal import Contract
internal import Postgres

/// Whose a Stripe account is: the platform's key acts for whichever one a tenant names, so it must not be another account's.
enum StripeAccounts {
    /// Which of these a tenant of another account has. Until the commit nobody else gets one of them.
    static func foreign(_ asked: Set<String>, to account: String, on database: inout Transaction) throws(PostgresError) -> Set<
        String
    > {
        guard !asked.isEmpty else { return [] }
        for name in asked.sorted() { try database.takeTurn("tenantry.stripe:\(name)") }
        var parameters = Parameters()
        parameters.append(asked.sorted())
        parameters.append(account)
        let rows = try database.query(SQL.foreign, parameters)
        return Set((0..<rows.count).map { rows.text($0, 0) })
    }

    static var refusal: Rejection {
        Rejection(.forbidden, "belongs to a tenant of another account", field: "/stripe_account")
    }

    enum SQL {
        static let foreign: Statement = """
            select stripe_account from tenantry.tenants where stripe_account = any($1) and account <> $2 and state <> 'purged'
            """
    }
}
