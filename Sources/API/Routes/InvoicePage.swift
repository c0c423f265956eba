internal import Billing
internal import Contract
internal import HTTPTypes
internal import Jobs
internal import Metering
internal import NIOCore
internal import Postgres

/// An invoice with its lines: as JSON, or as a page to be printed.
enum InvoicePage {
    static let route = Route.read(
        "/v1/invoices/{id}", .reading(.invoices), schema: Invoice.representation.schema,
        "An invoice with its lines; amounts in the currency's smallest unit. As text/html it is a page to be printed.",
        otherTypes: [Form.html.rawValue]
    ) { call in
        let (id, account) = (call.name("id"), try call.caller.account)
        let found = try await call.database { database, _ in try Invoice.find(id, on: &database) }
        guard let invoice = found, account == nil || invoice.details.account == account else {
            throw Problem.notFound("there is no invoice \(id)")
        }
        guard call.form == .html else { return .json(.ok, Invoice.representation.json(invoice)) }
        return .bytes(
            .ok, ByteBuffer(string: html(of: invoice)), type: "text/html; charset=utf-8",
            [HTTPField.Name("Content-Security-Policy")!: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"])
    }

    private static func html(of invoice: Invoice) -> String {
        let (details, currency) = (invoice.details, invoice.details.currency)
        let lines = invoice.lines.map { line in
            """
            <tr><td>\(escaped(line.description))</td><td>\(escaped(line.tenant ?? ""))</td><td>\(escaped(line.period))</td>\
            <td class="n">\(line.quantity)</td><td class="n">\(escaped(currency.format(line.amount)))</td></tr>
            """
        }.joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>Invoice \(escaped(details.id))</title>
            <style>
            body { font: 11pt/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
            table { border-collapse: collapse; width: 100%; margin-top: 1.5rem }
            th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #bbb; vertical-align: top }
            .n { text-align: right; font-variant-numeric: tabular-nums }
            tfoot th { border-bottom: 2px solid #111 }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem }
            dd { margin: 0 }
            </style>
            </head>
            <body>
            <h1>Invoice \(escaped(details.id))</h1>
            <dl>
            <dt>To</dt><dd>\(escaped(details.billTo))</dd>
            <dt>Plan</dt><dd>\(escaped(details.plan))</dd>
            <dt>Period</dt><dd>\(escaped(details.periodStart.rfc3339)) to \(escaped(details.periodEnd.rfc3339))</dd>
            <dt>Made</dt><dd>\(escaped(details.createdAt.rfc3339))</dd>
            </dl>
            <table>
            <thead><tr><th scope="col">What</th><th scope="col">Tenant</th><th scope="col">Period</th><th scope="col" class="n">Quantity</th>\
            <th scope="col" class="n">Amount</th></tr></thead>
            <tbody>
            \(lines)
            </tbody>
            <tfoot><tr><th scope="row" colspan="4">Total</th><td class="n"><strong>\(escaped(currency.format(details.total)))</strong></td></tr></tfoot>
            </table>
            </body>
            </html>

            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }
}
