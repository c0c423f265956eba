internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// What the database knows of invoices on their way to Stripe: each call is one short transaction.
struct InvoiceDispatchStore: Sendable {
    private let options: StripeOptions
    private let connection: QueuedConnection

    init(_ options: StripeOptions) {
        self.options = options
        connection = QueuedConnection(options.database, name: "tenantry invoices")
    }

    /// The next invoice that is due, held for a while; nil where there is none. Invoices of one tenant go one after the other.
    func claim() async throws -> InvoiceDispatch? {
        try await connection.run { [options] database in
            let claimed = try database.query(SQL.claim, options.leaseSeconds, options.daysUntilDue)
            guard var dispatch = claimed.decode(InvoiceDispatch.claimed).first else { return nil }
            dispatch.lines = try database.query(SQL.lines, dispatch.id).decode(InvoiceDispatch.Line.init)
            return dispatch
        }
    }

    func keep(customer: String, of dispatch: InvoiceDispatch) async throws {
        try await connection.run { [options] database in
            _ = try database.query(
                SQL.keepCustomer, dispatch.tenant, dispatch.stripeAccount, customer, dispatch.id, options.leaseSeconds)
        }
    }

    func keep(invoice: String, of dispatch: InvoiceDispatch) async throws {
        try await connection.run { [options] database in
            _ = try database.query(SQL.keepInvoice, dispatch.id, invoice, options.leaseSeconds)
        }
    }

    func keep(item: String, line: Int64, of dispatch: InvoiceDispatch) async throws {
        try await connection.run { [options] database in
            _ = try database.query(SQL.keepItem, dispatch.id, line, item, options.leaseSeconds)
        }
    }

    func sent(_ dispatch: InvoiceDispatch) async throws {
        try await conclude(dispatch, "sent", error: nil, event: .invoiceSent)
    }

    func failed(_ dispatch: InvoiceDispatch, _ error: String) async throws {
        try await conclude(dispatch, "failed", error: error, event: .invoiceFailed)
    }

    func postpone(_ dispatch: InvoiceDispatch, seconds: Double, _ error: String) async throws {
        try await connection.run { database in _ = try database.query(SQL.postpone, dispatch.id, seconds, error) }
    }

    /// Gives back what is in hand, for the next worker to go on with.
    func release(_ dispatch: InvoiceDispatch) async throws {
        try await connection.run { database in _ = try database.query(SQL.release, dispatch.id) }
    }

    private func conclude(_ dispatch: InvoiceDispatch, _ state: String, error: String?, event: LifecycleEvent) async throws {
        try await connection.run { database in
            try database.transaction { database in
                let concluded = try database.query(
                    SQL.conclude, dispatch.id, state, error, dispatch.invoice, dispatch.stripeAccount)
                // Another worker, which took this one for dead, may have been quicker.
                guard concluded.count == 1 else { return }
                let entry = OutboxMessage.event(
                    event, subject: [dispatch.account, dispatch.tenant], id: "\(dispatch.id)/\(dispatch.round)",
                    [
                        "invoice": .string(dispatch.id), "account": .string(dispatch.account),
                        "tenant": .string(dispatch.tenant), "stripe_account": .string(dispatch.stripeAccount),
                        "stripe_invoice": dispatch.invoice.map { .string($0) } ?? .null,
                        "error": error.map { .string($0) } ?? .null,
                    ])
                try Outbox.append([entry], on: &database)
            }
        }
    }
}

extension InvoiceDispatch {
    /// A row of `InvoiceDispatchStore.SQL.claim`, without its lines.
    fileprivate static func claimed(
        id: String, account: String, tenant: String, stripeAccount: String, period: String, billTo: String, email: String?,
        currency: String, total: Int64, daysUntilDue: Int64, createdAt: Timestamp, round: Int64, attempts: Int64,
        customer: String?,
        invoice: String?, earlierInvoice: String?, earlierAccount: String?
    ) -> InvoiceDispatch {
        var dispatch = InvoiceDispatch(
            id: id, account: account, tenant: tenant, stripeAccount: stripeAccount, period: period, billTo: billTo, email: email,
            currency: Currency(stored: currency), total: total, daysUntilDue: daysUntilDue, createdAt: createdAt, round: round,
            attempts: attempts, customer: customer, invoice: invoice, lines: [])
        if let earlierInvoice, let earlierAccount {
            dispatch.earlier = Earlier(invoice: earlierInvoice, stripeAccount: earlierAccount)
        }
        return dispatch
    }
}

extension InvoiceDispatchStore {
    enum SQL {
        static let claim: Statement = """
            update tenantry.invoices i
            set attempts = i.attempts + 1, next_attempt_at = now() + make_interval(secs => $1),
                days_until_due = coalesce(i.days_until_due, $2::int8::int)
            where i.id = (
                select due.id from tenantry.invoices due
                where due.delivery = 'pending' and due.next_attempt_at <= now() and not exists (
                    select from tenantry.invoices before
                    where before.delivery = 'pending' and before.stripe_account = due.stripe_account and before.tenant = due.tenant
                      and (before.created_at, before.id) < (due.created_at, due.id)
                )
                order by due.next_attempt_at limit 1 for update skip locked
            )
            returning i.id, i.account, i.tenant, i.stripe_account, i.period, i.bill_to, i.email, i.currency, i.total, i.days_until_due,
                i.created_at, i.round, i.attempts,
                coalesce(i.stripe_customer, (
                    select c.customer from tenantry.stripe_customers c where c.tenant = i.tenant and c.stripe_account = i.stripe_account
                )), i.stripe_invoice, i.earlier_invoice, i.earlier_account
            """
        static let lines: Statement = """
            select position, amount, description, period_start, period_end, stripe_item from tenantry.invoice_lines
            where invoice = $1 order by position
            """
        static let keepCustomer: Statement = """
            with known as (
                insert into tenantry.stripe_customers (tenant, stripe_account, customer) values ($1, $2, $3) on conflict do nothing
            )
            update tenantry.invoices set stripe_customer = $3, attempts = 0, next_attempt_at = now() + make_interval(secs => $5) where id = $4
            """
        static let keepInvoice: Statement = """
            update tenantry.invoices set stripe_invoice = $2, attempts = 0, next_attempt_at = now() + make_interval(secs => $3) where id = $1
            """
        static let keepItem: Statement = """
            with line as (
                update tenantry.invoice_lines set stripe_item = $3 where invoice = $1 and position = $2
            )
            update tenantry.invoices set attempts = 0, next_attempt_at = now() + make_interval(secs => $4) where id = $1
            """
        static let postpone: Statement = """
            update tenantry.invoices set next_attempt_at = now() + make_interval(secs => $2), last_error = $3
            where id = $1 and delivery = 'pending'
            """
        static let release: Statement = """
            update tenantry.invoices set next_attempt_at = now(), attempts = greatest(attempts - 1, 0) where id = $1 and delivery = 'pending'
            """
        static let conclude: Statement = """
            update tenantry.invoices
            set delivery = $2, last_error = $3, sent_at = case when $2 = 'sent' then now() end,
                stripe_invoice = coalesce($4, stripe_invoice), stripe_account = $5
            where id = $1 and delivery = 'pending'
            returning id
            """
    }
}
