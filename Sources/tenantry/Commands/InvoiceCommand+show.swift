internal import ArgumentParser
internal import Billing
internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension InvoiceCommand {
    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows an invoice with its lines: amounts in the currency's smallest unit, and as people write them.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The invoice's id, such as acme.2026-10.")
        var id: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry invoice"))
            guard let invoice = try InvoiceDetails.find(id, on: &database) else { throw Failure("there is no invoice \(id)") }
            let fields = fields(invoice)
            let lines = try invoice.lines(on: &database).map { cells($0, invoice.currency) }
            switch output.format {
            case .json:
                var object = Dictionary(uniqueKeysWithValues: fields)
                object["lines"] = .array(lines.map { .object(Dictionary(uniqueKeysWithValues: $0)) })
                print(JSONValue.object(object).pretty())
            default:
                let width = fields.map(\.0.count).max() ?? 0
                for (name, value) in fields where value != .null {
                    print(name + ":" + String(repeating: " ", count: width + 1 - name.count) + value.cell)
                }
                print("")
                var table = Table(lines.first?.map(\.0) ?? [])
                for line in lines { table.append(line.map(\.1)) }
                table.print(.table)
            }
        }

        private func fields(_ invoice: InvoiceDetails) -> [(String, JSONValue)] {
            [
                ("invoice", .string(invoice.id)), ("account", .string(invoice.account)), ("tenant", .text(invoice.tenant)),
                ("bill_to", .string(invoice.billTo)), ("period", .string(invoice.period)),
                ("period_start", .string(invoice.periodStart.rfc3339)), ("period_end", .string(invoice.periodEnd.rfc3339)),
                ("plan", .string(invoice.plan)), ("currency", .string(invoice.currency.code)),
                ("base_amount", .int(invoice.baseAmount)), ("usage_amount", .int(invoice.usageAmount)),
                ("adjustment_amount", .int(invoice.adjustmentAmount)), ("total", .int(invoice.total)),
                ("total_formatted", .string(invoice.currency.format(invoice.total))), ("delivery", .string(invoice.delivery)),
                ("note", .text(invoice.note)), ("last_error", .text(invoice.lastError)),
                ("stripe_account", .text(invoice.stripeAccount)), ("stripe_invoice", .text(invoice.stripeInvoice)),
                ("attempts", .int(invoice.attempts)), ("created_at", .string(invoice.createdAt.rfc3339)),
                ("sent_at", .text(invoice.sentAt?.rfc3339)),
            ]
        }

        private func cells(_ line: InvoiceDetails.Line, _ currency: Currency) -> [(String, JSONValue)] {
            [
                ("position", .int(line.position)), ("kind", .string(line.kind)), ("tenant", .text(line.tenant)),
                ("metric", .text(line.metric)), ("period", .string(line.period)), ("quantity", .int(line.quantity)),
                ("amount", .int(line.amount)), ("amount_formatted", .string(currency.format(line.amount))),
                ("description", .string(line.description)),
            ]
        }
    }
}
