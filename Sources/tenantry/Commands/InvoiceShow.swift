internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension InvoiceCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows an invoice with its lines: amounts in the currency's smallest unit, and as people write them.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The invoice's id, such as acme.2026-10.")
        var id: String

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry invoice"))
            var parameters = Parameters()
            parameters.append(id)
            let header = try database.query(InvoiceSQL.header, parameters)
            guard header.count == 1 else { throw Failure("there is no invoice \(id)") }
            let currency = Currency(stored: header.text(0, 7))
            let fields = fields(header, currency)
            let lines = lines(try database.query(InvoiceSQL.lines, parameters), currency)
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

        private func fields(_ rows: Rows, _ currency: Currency) -> [(String, JSONValue)] {
            [
                ("invoice", .string(id)), ("account", .text(rows.text(0, 0))), ("tenant", .text(rows.optionalText(0, 1))),
                ("bill_to", .text(rows.text(0, 5))), ("period", .text(rows.text(0, 2))),
                ("period_start", .text(rows.timestamp(0, 3).rfc3339)), ("period_end", .text(rows.timestamp(0, 4).rfc3339)),
                ("plan", .text(rows.text(0, 6))), ("currency", .text(currency.code)), ("base_amount", .int(rows.int(0, 8))),
                ("usage_amount", .int(rows.int(0, 9))), ("adjustment_amount", .int(rows.int(0, 10))),
                ("total", .int(rows.int(0, 11))),
                ("total_formatted", .string(currency.format(rows.int(0, 11)))), ("delivery", .text(rows.text(0, 12))),
                ("note", .text(rows.optionalText(0, 13))), ("last_error", .text(rows.optionalText(0, 14))),
                ("stripe_account", .text(rows.optionalText(0, 15))), ("stripe_invoice", .text(rows.optionalText(0, 16))),
                ("attempts", .int(rows.int(0, 17))), ("created_at", .text(rows.timestamp(0, 18).rfc3339)),
                ("sent_at", .text(rows.optionalTimestamp(0, 19)?.rfc3339)),
            ]
        }

        private func lines(_ rows: Rows, _ currency: Currency) -> [[(String, JSONValue)]] {
            (0..<rows.count).map { row in
                [
                    ("position", .int(rows.int(row, 0))), ("kind", .text(rows.text(row, 1))),
                    ("tenant", .text(rows.optionalText(row, 2))), ("metric", .text(rows.optionalText(row, 3))),
                    ("period", .text(rows.text(row, 4))), ("quantity", .int(rows.int(row, 5))),
                    ("amount", .int(rows.int(row, 6))),
                    ("amount_formatted", .string(currency.format(rows.int(row, 6)))), ("description", .text(rows.text(row, 7))),
                ]
            }
        }
    }
}
