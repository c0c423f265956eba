internal import Contract
internal import Postgres

/// Which account a Stripe account belongs to. The platform's key may act for every Stripe account, so a tenant must not name one that another
/// account's tenants use.
enum StripeAccounts {
    /// Which of these a tenant of another account has. Until the commit no other job can claim one of them.
    static func foreign(
        _ asked: Set<String>, to account: String, on database: inout Transaction
    ) throws(PostgresError) -> Set<String> {
        guard !asked.isEmpty else { return [] }
        for name in asked.sorted() { try database.takeTurn("tenantry.stripe:\(name)") }
        return Set(try database.query(SQL.foreign, asked.sorted(), account).decode(String.self))
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
