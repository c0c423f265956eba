internal import ArgumentParser
internal import Billing
internal import Contract
internal import Metering
internal import Postgres

struct InvoiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoice", abstract: "Invoices of finished periods, as billing.close made them.",
        subcommands: [List.self, Show.self, Retry.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists invoices, newest period first; one without a tenant is the account's own.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this account's.")
        var account: String?
        @Option(help: "Only of the periods that start in this month.")
        var period: Month?
        @Option(help: "The most invoices.")
        var limit = Count(1_000)

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry invoice"))
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(period?.name)
            parameters.append(Int64(limit.value))
            let rows = try database.query(InvoiceSQL.list, parameters)
            var table = Table([
                "invoice", "account", "tenant", "period", "plan", "total", "amount", "currency", "delivery", "note",
            ])
            for row in 0..<rows.count {
                let currency = Currency(stored: rows.text(row, 6))
                table.append([
                    .text(rows.text(row, 0)), .text(rows.text(row, 1)), .text(rows.optionalText(row, 2)),
                    .text(rows.text(row, 3)),
                    .text(rows.text(row, 4)), .int(rows.int(row, 5)), .text(currency.decimal(rows.int(row, 5))),
                    .text(currency.code), .text(rows.text(row, 7)), .text(rows.optionalText(row, 8)),
                ])
            }
            table.print(output.format)
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has an invoice sent to Stripe that failed, or that was made when there was no key.",
            discussion: "It goes through the Stripe account, and to the address, that its tenant has now.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The invoice's id.")
        var id: String
        @Flag(
            help: """
                Start over with a new draft. If the old one was made final at Stripe, it is taken as sent instead; if it is a draft still, it is \
                yours to delete there.
                """)
        var newDraft = false

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry invoice"))
            do {
                try InvoiceRetry.run(id, newDraft: newDraft, on: &database)
            } catch let refusal as InvoiceRetry.Refusal {
                throw Failure(refusal.description)
            }
            print("invoice \(id) is sent by the next worker that has a Stripe key")
        }
    }
}

/// `YYYY-MM` on the command line.
struct Month: ExpressibleByArgument {
    let name: String

    init?(argument: String) {
        // Why not is the option's own help.
        guard (try? BillingClose(period: argument).validate()) != nil else { return nil }
        name = argument
    }
}

enum InvoiceSQL {
    static let list: Statement = """
        select id, account, tenant, period, plan, total, currency, delivery, coalesce(last_error, note) from tenantry.invoices
        where ($1::text is null or account = $1) and ($2::text is null or period = $2)
        order by period desc, account, tenant nulls first limit $3
        """
    static let header: Statement = """
        select account, tenant, period, period_start, period_end, bill_to, plan, currency, base_amount, usage_amount, adjustment_amount,
            total, delivery, note, last_error, stripe_account, stripe_invoice, attempts, created_at, sent_at
        from tenantry.invoices where id = $1
        """
    static let lines: Statement = """
        select position, kind, tenant, metric, period, quantity, amount, description from tenantry.invoice_lines
        where invoice = $1 order by position
        """
}
