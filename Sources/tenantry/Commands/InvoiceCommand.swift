internal import ArgumentParser
internal import Billing
internal import Contract
internal import Metering
internal import Postgres

struct InvoiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoice", abstract: "Invoices of finished periods, as billing.close made them.",
        subcommands: [List.self, Show.self, Retry.self])

    struct List: ServerCommand {
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

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry invoice"))
            var table = Table([
                "invoice", "account", "tenant", "period", "plan", "total", "amount", "currency", "delivery", "note",
            ])
            let invoices = try InvoiceSummary.list(account: account, period: period?.name, limit: limit.value, on: &database)
            for invoice in invoices {
                table.append([
                    .string(invoice.id), .string(invoice.account), .text(invoice.tenant), .string(invoice.period),
                    .string(invoice.plan), .int(invoice.total), .string(invoice.currency.decimal(invoice.total)),
                    .string(invoice.currency.code), .string(invoice.delivery), .text(invoice.note),
                ])
            }
            table.print(output.format)
        }
    }

    struct Retry: ServerCommand {
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

        func run(with settings: Settings) throws {
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
