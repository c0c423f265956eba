internal import Contract
internal import Dispatch
internal import Jobs
internal import Metering
internal import Postgres

/// What the database knows of deliveries: each call is one short transaction.
///
/// Unchecked: `connection` is only touched on `queue`, which is serial. A thread that waits for the database is none of the tasks' pool.
final class DeliveryDesk: @unchecked Sendable {
    private let options: StripeOptions
    private let queue = DispatchQueue(label: "tenantry invoices")
    private var connection: Postgres.Connection?

    init(_ options: StripeOptions) {
        self.options = options
    }

    /// The next invoice that is due, held for a while; nil where there is none. Invoices of one tenant go one after the other.
    func claim() async throws -> Delivery? {
        try await run { [options] database in try Self.claim(options, on: &database) }
    }

    func keep(customer: String, of delivery: Delivery) async throws {
        try await run { [options] database in
            var parameters = Parameters()
            parameters.append(delivery.tenant)
            parameters.append(delivery.stripeAccount)
            parameters.append(customer)
            parameters.append(delivery.id)
            parameters.append(options.leaseSeconds)
            _ = try database.query(SQL.keepCustomer, parameters)
        }
    }

    func keep(invoice: String, of delivery: Delivery) async throws {
        try await run { [options] database in
            var parameters = Parameters()
            parameters.append(delivery.id)
            parameters.append(invoice)
            parameters.append(options.leaseSeconds)
            _ = try database.query(SQL.keepInvoice, parameters)
        }
    }

    func keep(item: String, line: Int64, of delivery: Delivery) async throws {
        try await run { [options] database in
            var parameters = Parameters()
            parameters.append(delivery.id)
            parameters.append(line)
            parameters.append(item)
            parameters.append(options.leaseSeconds)
            _ = try database.query(SQL.keepItem, parameters)
        }
    }

    func sent(_ delivery: Delivery) async throws {
        try await conclude(delivery, "sent", error: nil, event: .invoiceSent)
    }

    func failed(_ delivery: Delivery, _ error: String) async throws {
        try await conclude(delivery, "failed", error: error, event: .invoiceFailed)
    }

    func postpone(_ delivery: Delivery, seconds: Double, _ error: String) async throws {
        try await run { database in
            var parameters = Parameters()
            parameters.append(delivery.id)
            parameters.append(seconds)
            parameters.append(error)
            _ = try database.query(SQL.postpone, parameters)
        }
    }

    /// Gives back what is in hand, for the next worker to go on with.
    func release(_ delivery: Delivery) async throws {
        try await run { database in
            var parameters = Parameters()
            parameters.append(delivery.id)
            _ = try database.query(SQL.release, parameters)
        }
    }

    private func conclude(_ delivery: Delivery, _ state: String, error: String?, event: LifecycleEvent) async throws {
        try await run { database in
            try database.transaction { database in
                var parameters = Parameters()
                parameters.append(delivery.id)
                parameters.append(state)
                parameters.append(error)
                parameters.append(delivery.invoice)
                parameters.append(delivery.stripeAccount)
                // Another sender, which took this one for dead, may have been quicker.
                guard try database.query(SQL.conclude, parameters).count == 1 else { return }
                let entry = Outbox.Entry.event(
                    event, subject: [delivery.account, delivery.tenant], id: "\(delivery.id)/\(delivery.round)",
                    [
                        "invoice": .string(delivery.id), "account": .string(delivery.account), "tenant": .string(delivery.tenant),
                        "stripe_account": .string(delivery.stripeAccount),
                        "stripe_invoice": delivery.invoice.map { .string($0) } ?? .null,
                        "error": error.map { .string($0) } ?? .null,
                    ])
                try Outbox.append([entry], on: &database)
            }
        }
    }

    // MARK: The connection

    private func run<Result: Sendable>(
        _ body: @escaping @Sendable (inout Postgres.Connection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try self.onQueue(body) }) }
        }
    }

    private func onQueue<Result>(_ body: (inout Postgres.Connection) throws -> Result) throws -> Result {
        if connection == nil { connection = try Postgres.Connection(options.database) }
        do {
            return try body(&connection!)
        } catch {
            // Whatever it was, the next call starts on a connection that is known to be good.
            connection = nil
            throw error
        }
    }

    private static func claim(_ options: StripeOptions, on database: inout Postgres.Connection) throws -> Delivery? {
        var parameters = Parameters()
        parameters.append(options.leaseSeconds)
        parameters.append(Int64(options.daysUntilDue))
        let rows = try database.query(SQL.claim, parameters)
        guard rows.count == 1 else { return nil }
        var invoice = Parameters()
        invoice.append(rows.text(0, 0))
        let lines = try database.query(SQL.lines, invoice)
        return Delivery(
            id: rows.text(0, 0), account: rows.text(0, 1), tenant: rows.text(0, 2), stripeAccount: rows.text(0, 3),
            period: rows.text(0, 4), billTo: rows.text(0, 5), email: rows.optionalText(0, 6),
            currency: Currency(stored: rows.text(0, 7)), total: rows.int(0, 8), daysUntilDue: rows.int(0, 9),
            createdAt: rows.timestamp(0, 10), round: rows.int(0, 11), attempts: rows.int(0, 12),
            customer: rows.optionalText(0, 13), invoice: rows.optionalText(0, 14),
            earlier: rows.optionalText(0, 15).map { Delivery.Earlier(invoice: $0, stripeAccount: rows.text(0, 16)) },
            lines: (0..<lines.count).map { row in
                Delivery.Line(
                    position: lines.int(row, 0), amount: lines.int(row, 1), description: lines.text(row, 2),
                    start: lines.timestamp(row, 3), end: lines.timestamp(row, 4), item: lines.optionalText(row, 5))
            })
    }
}

extension DeliveryDesk {
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
