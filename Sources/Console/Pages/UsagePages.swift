internal import API
internal import Contract
internal import HTML

/// What the pool and its chatbots have used, and where that leads.
enum UsagePages {
    static let all: [PageRoute] = [
        PageRoute("/usage", sources: { [.init("usage", target($0)), .init("tenants", tenants($0))] }, pool),
        PageRoute("/tenants/{slug}/usage", sources: { [.init("usage", target($0))] }, tenant),
    ]

    private static func parts(_ call: PageCall) -> [String] { call.names["slug"].map { ["tenants", $0, "usage"] } ?? ["usage"] }

    private static func target(_ call: PageCall) -> String {
        call.target(parts(call), passing: ["account", "period", "by", "metric"])
    }

    private static func tenants(_ call: PageCall) -> String {
        call.target(
            ["usage", "tenants"], passing: ["account", "period", "metric", "cursor"], [("days", "true"), ("limit", "50")])
    }

    private static func pool(_ call: PageCall) async throws -> Page {
        if call.visitor.isOperator, call["account"] == nil { return try await chooseAccount(call) }
        async let usageAnswer = call.get(target(call))
        async let rowsAnswer = call.list(tenants(call))
        let (usage, rows) = try await (usageAnswer, rowsAnswer)
        let account = call["account"].map { " of \($0)" } ?? ""
        return Page(
            title: "Usage\(account)", place: "usage",
            blocks: [.fixed { choices(usage, call) }] + figures(usage, call) + [
                .live("heat") { Parts.panel("Chatbots by day") { heat(rows, call) } },
                .live("tenants") { Parts.panel("Chatbots") { shares(rows, call) } },
            ])
    }

    private static func tenant(_ call: PageCall) async throws -> Page {
        let usage = try await call.get(target(call))
        return Page(
            title: "Usage", place: TenantTabs.place(call, "Usage"), crumbs: TenantTabs.crumbs(call, below: true),
            tabs: TenantTabs.all(call.name("slug"), call.visitor),
            blocks: [.fixed { choices(usage, call) }] + figures(usage, call))
    }

    private static func chooseAccount(_ call: PageCall) async throws -> Page {
        let accounts = try await call.list("/v1/accounts?limit=200").rows
        return Page(
            title: "Usage", place: "usage",
            blocks: [
                .fixed {
                    Parts.panel("Whose?") {
                        if accounts.isEmpty { Parts.empty("No account yet.") }
                        ul(.class("links")) {
                            for account in accounts {
                                li {
                                    a(.href("/usage?account=\(RequestTarget.encode(account.text("slug") ?? ""))")) {
                                        Format.written(account.text("display_name") ?? "")
                                    }
                                }
                            }
                        }
                    }
                }
            ], hasFiles: false)
    }

    private static func metric(_ call: PageCall) -> String { call["metric"] ?? "messages" }

    private static func choices(_ usage: JSONValue, _ call: PageCall) -> HTML {
        let metrics = Metric.allCases.map { (Optional($0.rawValue), UsageTable.name($0.rawValue)) }
        let period = usage.text("period") ?? ""
        return div(.class("bar-row")) {
            Parts.choice("Metric", "metric", [(nil, "all")] + metrics, call)
            Parts.choice("Buckets", "by", [("hour", "by hour"), (nil, "by day"), ("month", "by month")], call)
            nav(.class("choice"), .label("Period")) {
                a(.href(call.link([("period", month(period, -1))]))) { "← \(month(period, -1))" }
                span(Attribute("aria-current", "true")) { period }
                if call["period"] != nil { a(.href(call.link([("period", nil)]))) { "now" } }
            }
        }
    }

    /// A month some months away: `2026-11`.
    private static func month(_ text: String, _ months: Int) -> String {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2 else { return text }
        let number = parts[0] * 12 + parts[1] - 1 + months
        return "\(number / 12)-\(number % 12 < 9 ? "0" : "")\(number % 12 + 1)"
    }

    private static func figures(_ usage: JSONValue, _ call: PageCall) -> [Page.Block] {
        let bucket = call["by"] ?? "day"
        let withHistory = Set(usage.items("history").compactMap { $0.text("metric") })
        let shown =
            call["metric"].map { [$0] }
            ?? usage.items("metrics").compactMap { $0.text("metric") }.filter { withHistory.contains($0) }
        return [
            .live("meters") { Parts.panel("Of the limits") { UsageTable.meters(usage.items("metrics"), call) } },
            .live("history") {
                Parts.panel("Over time") {
                    div(.class("plots")) {
                        for metric in shown where withHistory.contains(metric) {
                            UsageTable.history(usage, metric: metric, by: bucket, call)
                        }
                    }
                }
            },
        ]
    }

    /// Chatbots and days, the stronger the more.
    private static func heat(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        let rows = list.rows.filter { !$0.items("days").isEmpty }
        guard let longest = rows.map({ $0.items("days").count }).max(), longest > 0 else {
            return div(.class("empty")) { Parts.empty("Nothing was counted in this period yet.") }
        }
        let most = rows.flatMap { $0.items("days").compactMap(\.int) }.max() ?? 0
        return div(.class("scroll"), .role("region"), .label("Chatbots by day"), Attribute("tabindex", "0")) {
            table(.class("heat")) {
                HTML(Tag("caption"), "\(UsageTable.name(metric(call))) of each chatbot by day of the period")
                thead {
                    tr {
                        th(.scope("col")) { "Chatbot" }
                        for day in 1...longest { th(.scope("col")) { "\(day)" } }
                    }
                }
                tbody {
                    for row in rows {
                        tr {
                            th(.scope("row")) { link(row) }
                            for day in row.items("days") {
                                let value = day.int ?? 0
                                td(.class("heat-\(Plots.heat(value, most: most))"), .title(Format.number(value))) { short(value) }
                            }
                        }
                    }
                }
            }
        }
    }

    private static func short(_ value: Int64) -> String {
        value >= 10_000 ? "\(value / 1_000)k" : value == 0 ? "" : "\(value)"
    }

    private static func link(_ row: JSONValue) -> HTML {
        a(.href("/tenants/\(RequestTarget.encode(row.text("tenant") ?? ""))/usage")) { Format.written(row.text("tenant") ?? "") }
    }

    private static func shares(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Chatbots and their shares",
            columns: [
                .init("Chatbot", key: "tenant") { link($0) },
                .init("Used", key: "value") { row in Parts.meter(row.int("value") ?? 0, of: row.int("limit"), "Of the limit") },
                .init("Share of the pool", key: "share", isNumber: true) {
                    HTML(text: $0.real("share").map { Format.percent($0) } ?? "–")
                },
                .init("By day") { Plots.spark($0.items("days").compactMap(\.int), "By day") },
            ], list: list, empty: Parts.empty("No chatbot yet.")
        ).html(call)
    }
}
