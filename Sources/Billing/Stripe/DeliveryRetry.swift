internal import Metering
public import Postgres

/// Has an invoice sent again that failed, or that was made when it could not be sent: to whom and through which Stripe account its tenant
/// is invoiced now.
public enum DeliveryRetry {
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
            var parameters = Parameters()
            parameters.append(id)
            parameters.append(invoice.stripeAccount)
            parameters.append(invoice.email)
            _ = try database.query(SQL.retry, parameters)
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

    private static func hold(_ id: String, on database: inout Transaction) throws -> Held {
        var parameters = Parameters()
        parameters.append(id)
        let rows = try database.query(SQL.hold, parameters)
        guard rows.count == 1 else { throw Refusal(description: "there is no invoice \(id)") }
        func refusal(_ reason: String) -> Refusal { Refusal(description: "invoice \(id) is not one to send again: \(reason)") }
        let delivery = rows.text(0, 0)
        guard let tenant = rows.optionalText(0, 1), ["none", "failed"].contains(delivery) else {
            let note = rows.optionalText(0, 2).map { " (\($0))" } ?? ""
            throw refusal("its delivery is \(delivery)\(note)")
        }
        let (currency, earlier) = (Currency(stored: rows.text(0, 3)), rows.optionalText(0, 5))
        guard let stripeAccount = rows.optionalText(0, 4) else { throw refusal("tenant \(tenant) has no stripe_account") }
        if let obstacle = Delivery.obstacle(comesToNothing: !rows.bool(0, 9), currency) { throw refusal(obstacle) }
        let (email, earlierEmail) = (rows.optionalText(0, 6), rows.optionalText(0, 7))
        return Held(
            tenant: tenant, stripeAccount: stripeAccount, email: email, hasDraft: rows.bool(0, 8),
            isMoved: earlier != stripeAccount || email != earlierEmail)
    }

    private static func startOver(_ id: String, _ invoice: Held, on database: inout Transaction) throws {
        var parameters = Parameters()
        parameters.append(id)
        for statement in [SQL.startOver, SQL.forgetItems] { _ = try database.query(statement, parameters) }
        var customer = Parameters()
        customer.append(invoice.tenant)
        customer.append(invoice.stripeAccount)
        _ = try database.query(SQL.forgetCustomer, customer)
    }

    enum SQL {
        /// The address that the invoice had stays where the tenant has nobody any more.
        static let hold: Statement = """
            select i.delivery, i.tenant, i.note, i.currency, t.stripe_account, i.stripe_account, coalesce(admin.email, i.email), i.email,
                i.stripe_invoice is not null,
                exists (select from tenantry.invoice_lines l where l.invoice = i.id and l.amount <> 0)
            from tenantry.invoices i
            left join tenantry.tenants t on t.slug = i.tenant
            left join lateral (
                select a.email from tenantry.administrators a
                where a.account = i.account and coalesce(a.tenant, '') = i.tenant
                order by a.created_at, a.email limit 1
            ) admin on true
            where i.id = $1 for update of i
            """
        /// What was made at Stripe is kept in mind: it is asked for before there is another one.
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
