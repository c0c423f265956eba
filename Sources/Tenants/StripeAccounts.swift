internal import Contract
internal import Postgres

/// Which account a Stripe account belongs to: the one that an operator has granted it to. A tenant may name one that nobody has been granted, and
/// nothing is sent through it until its account has been.
enum StripeAccounts {
    /// Which of these are granted to another account.
    static func foreign(
        _ asked: Set<String>, to account: String, on database: inout Transaction
    ) throws(PostgresError) -> Set<String> {
        guard !asked.isEmpty else { return [] }
        return Set(try database.query(SQL.foreign, asked.sorted(), account).decode(String.self))
    }

    static var refusal: Rejection {
        Rejection(.forbidden, "belongs to another account", field: "/stripe_account")
    }

    enum SQL {
        static let foreign: Statement = """
            select stripe_account from tenantry.stripe_grants where stripe_account = any($1) and account <> $2
            """
    }
}
