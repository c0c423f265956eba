internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// An invoice as `billing.close` answers it.
struct AnsweredInvoice: Sendable {
    let id: String
    let account: String
    let tenant: String?
    let total: Int64
    let currency: String

    var json: JSONValue {
        var json: [String: JSONValue] = [
            "invoice": .string(id), "account": .string(account), "total": .int(total), "currency": .string(currency),
        ]
        if let tenant { json["tenant"] = .string(tenant) }
        return .object(json)
    }
}

/// Invoices in the database: written once, never changed but for their way to Stripe.
enum InvoiceBook {
    /// The account's, then its tenants'; none where the period is not closed.
    static func invoices(of account: String, period: String, on database: inout Transaction) throws(PostgresError)
        -> [AnsweredInvoice]
    {
        try database.query(SQL.invoices, account, period).decode(AnsweredInvoice.init)
    }

    /// Writes them with their events, and closes the period: what is sent late from now on is booked in the open one.
    static func write(
        _ invoices: [NewInvoice], account: BilledAccount, sendsInvoices: Bool, on database: inout Transaction
    ) throws {
        for invoice in invoices { try send(invoice, account, sendsInvoices: sendsInvoices, on: &database) }
        for invoice in invoices { try sendLines(of: invoice, account, on: &database) }
        try database.send(SQL.close, account.slug, account.period.end)
        _ = try database.collect()
        try Outbox.append(try invoices.map { try event($0, account) }, on: &database)
    }

    private static func send(
        _ invoice: NewInvoice, _ account: BilledAccount, sendsInvoices: Bool, on database: inout Transaction
    ) throws {
        let start = InvoiceDispatch.Start(invoice, sendsInvoices: sendsInvoices)
        let terms = invoice.price.map { JSONText($0.json.serialised()) }
        let amounts = try invoice.amounts()
        let notes = invoice.notes + [start.note].compactMap { $0 }
        let note = notes.isEmpty ? nil : notes.joined(separator: "; ")
        let period = account.period
        try database.send(
            SQL.write, invoice.id, account.slug, invoice.tenant, period.name, period.start, period.end, invoice.billTo,
            invoice.email, invoice.plan, terms, invoice.hasOwnVolume, invoice.currency.code, amounts.base, amounts.usage,
            amounts.adjustment, amounts.total, note, invoice.stripeAccount, start.word)
    }

    private static func sendLines(of invoice: NewInvoice, _ account: BilledAccount, on database: inout Transaction)
        throws(PostgresError)
    {
        let lines = invoice.lines
        try database.send(
            SQL.writeLines, invoice.id, account.slug, lines.map(\.kind.rawValue), lines.map(\.tenant),
            lines.map { $0.metric?.rawValue }, lines.map(\.period.name), lines.map(\.period.start), lines.map(\.period.end),
            lines.map(\.quantity), lines.map(\.amount), lines.map(\.isOwnVolume), lines.map(\.description))
    }

    private static func event(_ invoice: NewInvoice, _ account: BilledAccount) throws -> OutboxMessage {
        .event(
            .invoiceCreated, subject: [account.slug, invoice.tenant].compactMap { $0 }, id: invoice.id,
            [
                "invoice": .string(invoice.id), "account": .string(account.slug),
                "tenant": invoice.tenant.map { .string($0) } ?? .null, "period": .string(account.period.name),
                "period_start": .string(account.period.start.rfc3339), "period_end": .string(account.period.end.rfc3339),
                "total": .int(try invoice.amounts().total), "currency": .string(invoice.currency.code),
            ])
    }

    enum SQL {
        static let invoices: Statement = """
            select id, account, tenant, total, currency from tenantry.invoices where account = $1 and period = $2
            order by tenant collate "C" nulls first
            """
        static let write: Statement = """
            insert into tenantry.invoices (id, account, tenant, period, period_start, period_end, bill_to, email, plan, terms, has_own_volume,
                currency, base_amount, usage_amount, adjustment_amount, total, note, stripe_account, delivery)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            """
        static let writeLines: Statement = """
            insert into tenantry.invoice_lines (invoice, position, kind, account, tenant, metric, period, period_start, period_end, quantity,
                amount, is_own_volume, description)
            select $1, n, kind, $2, tenant, metric, period, period_start, period_end, quantity, amount, is_own_volume, description
            from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::int8[], $10::int8[],
                $11::bool[], $12::text[]) with ordinality
                as l (kind, tenant, metric, period, period_start, period_end, quantity, amount, is_own_volume, description, n)
            """
        static let close: Statement = """
            update tenantry.accounts set closed_through = $2, updated_at = now() where slug = $1 and closed_through < $2
            """
    }
}
