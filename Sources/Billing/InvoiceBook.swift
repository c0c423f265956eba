internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// Invoices in the database: written once, never changed but for their delivery.
enum InvoiceBook {
    /// An invoice as `billing.close` answers it.
    struct Entry: Sendable {
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

    /// The account's, then its tenants'; none where the period is not closed.
    static func entries(of account: String, period: String, on database: inout Transaction) throws(PostgresError) -> [Entry] {
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(period)
        let rows = try database.query(SQL.entries, parameters)
        return (0..<rows.count).map { row in
            Entry(
                id: rows.text(row, 0), account: account, tenant: rows.optionalText(row, 1), total: rows.int(row, 2),
                currency: rows.text(row, 3))
        }
    }

    /// Writes them with their events, and closes the period: what is sent late from now on is booked in the open one.
    static func write(
        _ drafts: [InvoiceDraft], account: BilledAccount, sendsInvoices: Bool, on database: inout Transaction
    ) throws {
        for draft in drafts { try send(draft, account, sendsInvoices: sendsInvoices, on: &database) }
        try sendLines(drafts, account, on: &database)
        var closing = Parameters()
        closing.append(account.slug)
        closing.append(timestamp: account.period.end)
        try database.send(SQL.close, closing)
        _ = try database.collect()
        try Outbox.append(try drafts.map { try event($0, account) }, on: &database)
    }

    private static func send(
        _ draft: InvoiceDraft, _ account: BilledAccount, sendsInvoices: Bool, on database: inout Transaction
    ) throws {
        let delivery = Delivery.State(draft, sendsInvoices: sendsInvoices)
        var parameters = Parameters()
        parameters.append(draft.id)
        parameters.append(account.slug)
        parameters.append(draft.tenant)
        parameters.append(account.period.name)
        parameters.append(timestamp: account.period.start)
        parameters.append(timestamp: account.period.end)
        parameters.append(draft.billTo)
        parameters.append(draft.email)
        parameters.append(draft.plan)
        parameters.append(jsonb: draft.price.map { String(decoding: $0.json.serialised(), as: UTF8.self) })
        parameters.append(draft.hasOwnVolume)
        parameters.append(draft.currency.code)
        for kind in InvoiceDraft.amounts { parameters.append(try draft.amount(kind)) }
        let notes = draft.notes + [delivery.note].compactMap { $0 }
        parameters.append(notes.isEmpty ? nil : notes.joined(separator: "; "))
        parameters.append(draft.stripeAccount)
        parameters.append(delivery.word)
        try database.send(SQL.invoice, parameters)
    }

    private static func sendLines(_ drafts: [InvoiceDraft], _ account: BilledAccount, on database: inout Transaction)
        throws(PostgresError)
    {
        for draft in drafts {
            let lines = draft.lines
            var parameters = Parameters()
            parameters.append(draft.id)
            parameters.append(account.slug)
            parameters.append(lines.map(\.kind.rawValue))
            parameters.append(optionals: lines.map(\.tenant))
            parameters.append(optionals: lines.map { $0.metric?.rawValue })
            parameters.append(lines.map(\.period.name))
            parameters.append(timestamps: lines.map(\.period.start))
            parameters.append(timestamps: lines.map(\.period.end))
            parameters.append(lines.map(\.quantity))
            parameters.append(lines.map(\.amount))
            parameters.append(lines.map { $0.isOwnVolume ? Int64(1) : 0 })
            parameters.append(lines.map(\.description))
            try database.send(SQL.lines, parameters)
        }
    }

    private static func event(_ draft: InvoiceDraft, _ account: BilledAccount) throws -> Outbox.Entry {
        .event(
            .invoiceCreated, subject: [account.slug, draft.tenant].compactMap { $0 }, id: draft.id,
            [
                "invoice": .string(draft.id), "account": .string(account.slug),
                "tenant": draft.tenant.map { .string($0) } ?? .null, "period": .string(account.period.name),
                "period_start": .string(account.period.start.rfc3339), "period_end": .string(account.period.end.rfc3339),
                "total": .int(try draft.amount()), "currency": .string(draft.currency.code),
            ])
    }

    enum SQL {
        static let entries: Statement = """
            select id, tenant, total, currency from tenantry.invoices where account = $1 and period = $2
            order by tenant collate "C" nulls first
            """
        static let invoice: Statement = """
            insert into tenantry.invoices (id, account, tenant, period, period_start, period_end, bill_to, email, plan, terms, has_own_volume,
                currency, base_amount, usage_amount, adjustment_amount, total, note, stripe_account, delivery)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            """
        static let lines: Statement = """
            insert into tenantry.invoice_lines (invoice, position, kind, account, tenant, metric, period, period_start, period_end, quantity,
                amount, is_own_volume, description)
            select $1, n, kind, $2, tenant, metric, period, period_start, period_end, quantity, amount, own = 1, description
            from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::int8[], $10::int8[],
                $11::int8[], $12::text[]) with ordinality
                as l (kind, tenant, metric, period, period_start, period_end, quantity, amount, own, description, n)
            """
        static let close: Statement = """
            update tenantry.accounts set closed_through = $2, updated_at = now() where slug = $1 and closed_through < $2
            """
    }
}

extension Parameters {
    /// `text[]` with nulls.
    fileprivate mutating func append(optionals texts: [String?]) {
        var array = BinaryArray(.text)
        for text in texts {
            if let text { array.append(text) } else { array.appendNull() }
        }
        append(array)
    }
}
