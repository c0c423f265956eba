internal import API
internal import Contract
internal import HTML

/// Limits that were reached, and came to be left again.
enum AlertPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/alerts", sources: { [.init("alerts", target($0))] },
            { call in
                let list = try await call.list(target(call))
                return Page(
                    title: "Alerts", place: "alerts",
                    blocks: [
                        .fixed {
                            FilterBar(
                                filters: [
                                    .init(name: "tenant", label: "Chatbot"),
                                    .init(
                                        name: "metric", label: "Metric",
                                        options: Metric.allCases.map { ($0.rawValue, UsageTable.name($0.rawValue)) }),
                                    .init(
                                        name: "state", label: "State",
                                        options: AlertEvent.State.allCases.map { ($0.rawValue, $0.rawValue) }),
                                ] + (call.visitor.isOperator ? [.init(name: "account", label: "Account")] : [])
                            ).html(call)
                        },
                        .live("alerts") { AlertPages.list(list, call) },
                        .fixed { Parts.command("tenantry alerts list") },
                    ])
            })
    ]

    private static func target(_ call: PageCall) -> String {
        call.target(["alerts"], passing: ["account", "tenant", "metric", "state", "from", "to", "cursor", "limit"])
    }

    static func list(_ list: PageCall.Listed, _ call: PageCall, isPaged: Bool = true) -> HTML {
        var columns: [DataTable.Column] = [
            .init("When", key: "created_at") { row in call.visitor.clock.html(row.text("created_at")) },
            .init("Whose", key: "tenant") { row in
                if let tenant = row.text("tenant") {
                    a(.href("/tenants/\(RequestTarget.encode(tenant))")) { Format.written(tenant) }
                } else {
                    "the pool"
                }
            },
            .init("Metric", key: "metric") { HTML(text: UsageTable.name($0.text("metric"))) },
            .init("State", key: "state") { Parts.badge($0.text("state") ?? "") },
            .init("Threshold", key: "threshold_percent", isNumber: true) {
                HTML(text: "\(Format.number($0.int("threshold_percent") ?? 0)) %")
            },
            .init("Value", key: "value", isNumber: true) { row in
                HTML(
                    text: "\(Format.number(row.int("value") ?? 0)) of \(row.int("limit").map { Format.number($0) } ?? "no limit")"
                )
            },
            .init("Told") { row in
                if row.text("published_at") == nil {
                    Parts.badge("waiting")
                } else {
                    call.visitor.clock.html(row.text("published_at"))
                }
            },
        ]
        if call.visitor.isOperator {
            columns.insert(.init("Account", key: "account") { Format.written($0.text("account") ?? "") }, at: 1)
        }
        return DataTable(
            caption: "Alerts", columns: columns, list: list,
            empty: Parts.empty("No alert.", "One comes when the pool or a chatbot reaches a threshold of its plan."),
            isPaged: isPaged
        ).html(call)
    }
}
