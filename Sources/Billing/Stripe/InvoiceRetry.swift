internal import Metering
public import Postgres

/// Has an invoice sent again that failed, or that was made when it could not be sent: to the address and through the Stripe account that its
/// tenant has now.
public enum InvoiceRetry {
    /// Why an invoice is not sent again.
    public struct Refusal: Error, CustomStringConvertible {
        public let description: String
    }

    /// In a transaction of its own.
    ///
    /// - Parameter newDraft: not to go on with the draft that is at Stripe. One that was made final is taken as sent all the same.
    /// - Throws: ``Refusal``; `PostgresError`.
    public static func run(_ id: String, newDraft: Bool, on database: inout Connection) throws {
        try database.transaction { database in
            let invoice = try hold(id, on: &database)
            // A draft belongs to its customer, and a customer to its Stripe account.
            if newDraft || !invoice.hasDraft || invoice.isMoved { try startOver(id, invoice, on: &database) }
            _ = try database.query(SQL.retry, id, invoice.stripeAccount, invoice.email)
        }
    }

    private struct Held {
        let tenant: String
        let stripeAccount: String
        let email: String?
        let hasDraft: Bool
        /// Its tenant has another Stripe account or address than before.
        let isMoved: Bool
    }

    /// A row of `SQL.hold`.
    private struct Row {
        let delivery: String
        let tenant: String?
        let note: String?
        let currency: String
        let stripeAccount: String?
        let earlierStripeAccount: String?
        let email: String?
        let earlierEmail: String?
        let hasDraft: Bool
        let hasAmounts: Bool
        let isGranted: Bool
    }

    private static func hold(_ id: String, on database: inout Transaction) throws -> Held {
        guard let row = try database.query(SQL.hold, id).decode(Row.init).first else {
            throw Refusal(description: "there is no invoice \(id)")
        }
        func refusal(_ reason: String) -> Refusal { Refusal(description: "invoice \(id) is not one to send again: \(reason)") }
        guard let tenant = row.tenant, ["none", "failed"].contains(row.delivery) else {
            throw refusal("its delivery is \(row.delivery)\(row.note.map { " (\($0))" } ?? "")")
        }
        guard let stripeAccount = row.stripeAccount else { throw refusal("tenant \(tenant) has no stripe_account") }
        guard row.isGranted else { throw refusal(InvoiceDispatch.notGranted) }
        let currency = Currency(stored: row.currency)
        if let obstacle = InvoiceDispatch.obstacle(comesToNothing: !row.hasAmounts, currency) { throw refusal(obstacle) }
        return Held(
            tenant: tenant, stripeAccount: stripeAccount, email: row.email, hasDraft: row.hasDraft,
            isMoved: row.earlierStripeAccount != stripeAccount || row.email != row.earlierEmail)
    }

    private static func startOver(_ id: String, _ invoice: Held, on database: inout Transaction) throws {
        _ = try database.query(SQL.startOver, id)
        _ = try database.query(SQL.forgetItems, id)
        _ = try database.query(SQL.forgetCustomer, invoice.tenant, invoice.stripeAccount)
    }

    enum SQL {
        /// The address that the invoice had stays where the tenant has nobody any more.
        static let hold: Statement = """
            select i.delivery, i.tenant, i.note, i.currency, t.stripe_account, i.stripe_account, coalesce(admin.email, i.email), i.email,
                i.stripe_invoice is not null,
                exists (select from tenantry.invoice_lines l where l.invoice = i.id and l.amount <> 0),
                exists (select from tenantry.stripe_grants g where g.stripe_account = t.stripe_account and g.account = i.account)
            from tenantry.invoices i
            left join tenantry.tenants t on t.slug = i.tenant
            left join lateral (
                select a.email from tenantry.administrators a
                where a.account = i.account and coalesce(a.tenant, '') = i.tenant
                order by a.created_at, a.email limit 1
            ) admin on true
            where i.id = $1 for update of i
            """
        /// What was made at Stripe is remembered: Stripe is asked for it before another one is made.
        static let startOver: Statement = """
            update tenantry.invoices
            set stripe_customer = null, stripe_invoice = null, earlier_invoice = coalesce(stripe_invoice, earlier_invoice),
                earlier_account = case when stripe_invoice is null then earlier_account else stripe_account end
            where id = $1
            """
        static let forgetItems: Statement = "update tenantry.invoice_lines set stripe_item = null where invoice = $1"
        static let forgetCustomer: Statement = """
            delete from tenantry.stripe_customers where tenant = $1 and stripe_account = $2
            """
        /// A new round, because Stripe gives its first answer again to whoever asks under the same idempotency key.
        static let retry: Statement = """
            update tenantry.invoices
            set delivery = 'pending', round = round + 1, attempts = 0, next_attempt_at = now(), last_error = null, stripe_account = $2,
                email = $3, note = nullif(regexp_replace(note, '(; )?not sent: .*$', ''), '')
            where id = $1
            """
    }
}
