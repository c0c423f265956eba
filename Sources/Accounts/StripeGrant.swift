internal import Contract
internal import Jobs
public import Postgres

/// An operator's word that a Stripe account is an account's own. Invoices of its tenants go through that one alone.
public enum StripeGrant {
    /// Grants it, or grants it anew to the same account, which changes nothing.
    ///
    /// - Parameter actor: whom the audit log names.
    /// - Throws: `Rejection`: `account_unknown`; `conflict` if another account has it. `PostgresError`.
    public static func grant(
        _ stripeAccount: String, to account: String, by actor: String, on database: inout Connection
    ) throws {
        try database.transaction { database in
            guard !(try database.query(SQL.account, account)).isEmpty else {
                throw Rejection(.accountUnknown, "there is no account \(account)")
            }
            _ = try database.query(SQL.grant, stripeAccount, account, actor)
            let owner = try database.query(SQL.owner, stripeAccount).only(String.self)
            guard owner == account else { throw Rejection(.conflict, "\(stripeAccount) is granted to account \(owner)") }
            try note(.grantStripe, stripeAccount, account, by: actor, on: &database)
        }
    }

    /// Takes it back: what is invoiced from now on is not sent through it.
    ///
    /// - Throws: `Rejection` (`conflict`) if the account does not have it; `PostgresError`.
    public static func withdraw(
        _ stripeAccount: String, from account: String, by actor: String, on database: inout Connection
    ) throws {
        try database.transaction { database in
            guard try database.query(SQL.withdraw, stripeAccount, account).affected == 1 else {
                throw Rejection(.conflict, "\(stripeAccount) is not granted to account \(account)")
            }
            try note(.withdrawStripe, stripeAccount, account, by: actor, on: &database)
        }
    }

    private static func note(
        _ kind: AuditedDeed, _ stripeAccount: String, _ account: String, by actor: String, on database: inout Transaction
    ) throws {
        try AuditLog.append(
            .init(
                command: kind.rawValue, account: account, actor: actor, jobID: "command-\(SystemClock.nowMicroseconds())",
                details: ["result": ["account": .string(account), "stripe_account": .string(stripeAccount)]]),
            on: &database)
    }

    enum SQL {
        static let account: Statement = "select 1 from tenantry.accounts where slug = $1 for key share"
        static let grant: Statement = """
            insert into tenantry.stripe_grants (stripe_account, account, granted_by) values ($1, $2, $3) on conflict do nothing
            """
        static let owner: Statement = "select account from tenantry.stripe_grants where stripe_account = $1"
        static let withdraw: Statement = "delete from tenantry.stripe_grants where stripe_account = $1 and account = $2"
    }
}
