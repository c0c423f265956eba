internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Metering

/// Invoices.
enum InvoicePages {
    static let all: [PageRoute] = [
        PageRoute(
            "/invoices", sources: { [.init("invoices", target($0))] },
            { call in
                let list = try await call.list(target(call))
                return Page(
                    title: "Invoices", place: "invoices",
                    blocks: [
                        .fixed {
                            FilterBar(
                                filters: [
                                    .init(name: "tenant", label: "Chatbot"), .init(name: "period", label: "Month", type: "month"),
                                ]
                                    + (call.visitor.isOperator ? [.init(name: "account", label: "Account")] : [])
                            ).html(call)
                        }, .live("invoices") { invoices(list, call) },
                    ])
            }),
        PageRoute("/invoices/{id}", sources: { [.init("invoice", PageCall.target(["invoices", $0.name("id")]))] }, one),
        PageRoute("/invoices/{id}/print") { call in
            var request = LocalAPI.Request(.get, PageCall.target(["invoices", call.name("id")]))
            request.headers[.accept] = "text/html"
            return .file(try await call.reply(request), name: "invoice.html")
        },
    ]

    private static func target(_ call: PageCall) -> String {
        call.target(["invoices"], passing: ["account", "tenant", "period", "cursor", "limit"])
    }

    static func amount(_ value: Int64?, _ currency: String?) -> HTML {
        guard let value else { return HTML(text: "–") }
        return HTML(text: Currency(currency ?? "")?.format(value) ?? Format.number(value))
    }

    private static func invoices(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Invoices",
            columns: [
                .init("Period", key: "period") { row in
                    a(.href("/invoices/\(RequestTarget.encode(row.text("id") ?? ""))")) { row.text("period") ?? "" }
                },
                .init("For", key: "bill_to") { Format.written($0.text("bill_to") ?? "") },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "all together") },
                .init("Plan", key: "plan") { Format.written($0.text("plan") ?? "") },
                .init("Total", key: "total", isNumber: true) { row in amount(row.int("total"), row.text("currency")) },
                .init("Sent", key: "delivery") { Parts.badge($0.text("delivery") ?? "") },
                .init("Made", key: "created_at") { row in call.visitor.clock.html(row.text("created_at")) },
            ], list: list, empty: Parts.empty("No invoice yet.", "One is made when a period is over.")
        ).html(call)
    }

    private static func one(_ call: PageCall) async throws -> Page {
        let invoice = try await call.get(PageCall.target(["invoices", call.name("id")]))
        let currency = invoice.text("currency")
        let clock = call.visitor.clock
        let lines = DataTable(
            caption: "Lines",
            columns: [
                .init("What", key: "description") { Format.written($0.text("description") ?? "") },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "–") },
                .init("Quantity", key: "quantity", isNumber: true) { row in
                    HTML(text: row.int("quantity").map { Format.number($0) } ?? "–")
                },
                .init("Amount", key: "amount", isNumber: true) { row in amount(row.int("amount"), currency) },
            ], list: PageCall.Listed(rows: invoice.items("lines"), next: nil), empty: Parts.empty("It has no lines."),
            isPaged: false)
        return Page(
            title: "Invoice for \(invoice.text("period") ?? "")", place: "invoices", crumbs: [("Invoices", "/invoices")],
            actions: a(.class("button"), .href("/invoices/\(RequestTarget.encode(call.name("id")))/print")) { "Print" },
            blocks: [
                .fixed {
                    Parts.panel("Invoice") {
                        Parts.facts([
                            ("For", Format.written(invoice.text("bill_to") ?? "")),
                            ("Plan", Format.written(invoice.text("plan") ?? "")),
                            ("From", clock.html(invoice.text("period_start"))), ("To", clock.html(invoice.text("period_end"))),
                            ("Total", HTML { strong { amount(invoice.int("total"), currency) } }),
                            ("Made", clock.html(invoice.text("created_at"))),
                            ("Sent", Parts.badge(invoice.text("delivery") ?? "")),
                        ])
                        if let error = invoice.text("last_error") { p(.class("error")) { Format.written(error) } }
                    }
                    Parts.panel("Lines") { lines.html(call) }
                }
            ])
    }
}

/// Who did what.
enum AuditPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/audit", sources: { [.init("audit", target($0))] },
            { call in
                let list = try await call.list(target(call))
                return Page(
                    title: "Audit log", place: "audit",
                    blocks: [
                        .fixed {
                            FilterBar(
                                filters: [
                                    .init(name: "actor", label: "Who"), .init(name: "kind", label: "What"),
                                    .init(name: "tenant", label: "Chatbot"),
                                ] + (call.visitor.isOperator ? [.init(name: "account", label: "Account")] : [])
                            ).html(call)
                        }, .live("audit") { entries(list, call) }, .fixed { Parts.command("tenantry audit") },
                    ])
            })
    ]

    private static func target(_ call: PageCall) -> String {
        call.target(["audit"], passing: ["account", "tenant", "kind", "actor", "from", "to", "cursor", "limit"])
    }

    private static func entries(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        var columns: [DataTable.Column] = [
            .init("When", key: "at") { row in call.visitor.clock.html(row.text("at")) },
            .init("Who", key: "actor") { row in
                Format.written(row.text("actor") ?? "")
                " "
                small { row.text("role") ?? "" }
            },
            .init("What", key: "kind") { row in code { row.text("kind") ?? "" } },
            .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "–") },
            .init("Details") { row in
                if let value = row["details"], value != .null, value != .object([:]) {
                    details {
                        summaryElement { "Show" }
                        Parts.source(value.indented, "Details of entry \(row.int("id") ?? 0)", most: 1_500)
                    }
                }
            },
        ]
        if call.visitor.isOperator {
            columns.insert(.init("Account", key: "account") { Format.written($0.text("account") ?? "–") }, at: 3)
        }
        return DataTable(caption: "Audit log", columns: columns, list: list, empty: Parts.empty("Nothing of this is on record."))
            .html(call)
    }
}

/// A job that was under way when its page was left.
enum JobPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/jobs/{id}", sources: { [.init("job", PageCall.target(["jobs", $0.name("id")]))] },
            { call in
                let job = try await call.get(PageCall.target(["jobs", call.name("id")]))
                let isPending = job.text("status") == "pending"
                return Page(
                    title: isPending ? "Under way" : "Job",
                    blocks: [
                        .live("job") {
                            Parts.panel("Job") {
                                Parts.facts([
                                    ("Kind", Format.written(job.text("kind") ?? "")),
                                    ("State", Parts.badge(job.text("status") ?? "")),
                                    ("Chatbot", Format.written(job.text("tenant") ?? "–")),
                                    ("Sent", call.visitor.clock.html(job.text("sent_at"))),
                                    ("Id", Parts.copyable(job.text("job_id") ?? "", "the id")),
                                ])
                                if isPending { p { "It waits for a worker, or one is at it. This page follows." } }
                                if let error = job["error"], error != .null {
                                    p(.class("error")) { Format.written(error.text("message") ?? "") }
                                }
                                if let result = job["result"], result != .null { Parts.source(result.indented, "Result") }
                            }
                        }
                    ], refreshSeconds: isPending ? 3 : nil)
            })
    ]
}
