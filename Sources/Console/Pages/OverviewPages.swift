internal import API
internal import Contract
internal import HTML
internal import Jobs
internal import People
internal import Postgres

/// The first page: the platform for operators, an account for its people; a tenant's people go to their chatbot.
enum OverviewPages {
    static let all: [PageRoute] = [
        PageRoute("/", sources: sources) { call in
            if call.visitor.isOperator { return try await platform(call) }
            return try await account(call)
        }.sendingTenants,
        PageRoute("/help") { call in help(call) },
    ]

    private static func sources(_ call: PageCall) -> [PageRoute.Source] {
        if call.visitor.tenant != nil { return [] }
        if call.visitor.isOperator {
            return [.init("workers", "/v1/workers"), .init("queues", "/v1/queues"), .init("attention", "/v1/attention")]
        }
        return [
            .init("tenants", "/v1/usage/tenants?limit=200"), .init("usage", "/v1/usage"), .init("alerts", "/v1/alerts?limit=10"),
        ]
    }

    // MARK: The platform

    private static func platform(_ call: PageCall) async throws -> Page {
        async let workers = call.list("/v1/workers").rows
        async let attention = call.get("/v1/attention")
        let (rows, needs) = (try await workers, try await attention)
        let history = call.site.history.all
        return Page(
            title: "Overview", place: "overview",
            blocks: [
                .live("figures") { figures(rows, history.last) },
                .live("plots") { plots(history, call.visitor.clock) },
                .live("attention") { Attention.html(needs, call) },
            ])
    }

    private static func figures(_ workers: [JSONValue], _ last: FleetHistory.Sample?) -> HTML {
        let rate = workers.reduce(0.0) { $0 + ($1.real("jobs_per_second") ?? 0) }
        let inHand = workers.reduce(0) { $0 + ($1.int("in_hand") ?? 0) }
        return div(.class("figures")) {
            Parts.figure(Format.real(rate), "jobs a second")
            Parts.figure(last.map { Format.number(Int64($0.ready)) } ?? "–", "jobs waiting", href: "/fleet")
            Parts.figure(Format.number(inHand), "jobs in hand", href: "/fleet")
            Parts.figure(
                Format.number(Int64(workers.count)), workers.count == 1 ? "worker" : "workers", href: "/fleet",
                tone: workers.isEmpty ? .bad : nil)
        }
    }

    private static func plots(_ history: [FleetHistory.Sample], _ clock: Clock) -> HTML {
        func hour(_ sample: FleetHistory.Sample?) -> String {
            sample.map { clock.hour(RFC3339.text($0.at)) } ?? ""
        }
        let labels = (hour(history.first), hour(history.last))
        return div(.class("plots")) {
            Plots.line(history.map(\.jobsPerSecond), "Throughput", unit: " jobs/s", labels: labels)
            Plots.line(history.map(\.ready), "Queue depth", unit: " jobs", labels: labels)
            Plots.line(history.map(\.oldestSeconds), "Oldest job in hand", unit: " s", labels: labels)
        }
    }

    // MARK: An account

    private static func account(_ call: PageCall) async throws -> Page {
        async let usageAnswer = call.find("/v1/usage")
        async let alertsAnswer = call.visitor.may(read: .alerts) ? call.list("/v1/alerts?limit=5").rows : []
        async let cardsAnswer = TenantCards.read(call, limit: 12)
        async let attentionAnswer = call.find("/v1/attention")
        let (usage, alerts, cards, attention) = try await (usageAnswer, alertsAnswer, cardsAnswer, attentionAnswer)
        return Page(
            title: call.visitor.session.accountName ?? "Overview", place: "overview", actions: TenantPages.actions(call),
            blocks: [
                .live("pool") {
                    if let usage { pool(usage, call) }
                },
                .live("attention") {
                    if let attention { Attention.html(attention, call) }
                },
                .live("tenants") {
                    section(.class("panel plain-panel")) {
                        h2 { "Chatbots" }
                        TenantCards.html(cards, heading: h3, call)
                        if cards.next != nil { p { a(.class("button"), .href("/tenants")) { "All chatbots" } } }
                    }
                },
                .live("alerts") {
                    Parts.panel("Latest alerts") {
                        AlertPages.list(PageCall.Listed(rows: alerts, next: nil), call, isPaged: false)
                    }
                },
            ])
    }

    /// The plan's limits, and what the pool has used of them.
    static func pool(_ usage: JSONValue, _ call: PageCall) -> HTML {
        let limited = usage.items("metrics").filter {
            $0.int("limit") != nil || ["messages", "tokens"].contains($0.text("metric"))
        }
        return Parts.panel("This period") {
            p(.class("hint")) {
                "\(call.visitor.clock.day(usage.text("period_start"))) to \(call.visitor.clock.day(usage.text("period_end")))"
            }
            UsageTable.meters(limited, call)
        }
    }

    private static func help(_ call: PageCall) -> Page {
        Page(
            title: "Help",
            blocks: [
                .fixed {
                    Parts.panel("Keyboard") {
                        Parts.facts([
                            ("/", HTML(text: "search on this page")), ("Ctrl K", HTML(text: "go to a page or a chatbot")),
                            ("g t", HTML(text: "chatbots")), ("g o", HTML(text: "overview")), ("g u", HTML(text: "usage")),
                            ("?", HTML(text: "the keys")),
                        ])
                    }
                    Parts.panel("The same elsewhere") {
                        p {
                            "All that the console shows and does can be had over HTTP: "
                            a(.href("/v1/openapi.json")) { "the OpenAPI document" }
                            ". Below each page stand its figures as CSV and JSON, and below each form the command that does the same."
                        }
                    }
                }
            ], hasFiles: false)
    }
}

extension PageRoute {
    /// A tenant's own people go to their chatbot instead.
    fileprivate var sendingTenants: PageRoute {
        let inner = show
        var copy = PageRoute(path.text) { call in
            if let tenant = call.visitor.tenant { return .redirect("/tenants/\(RequestTarget.encode(tenant))", nil) }
            return try await inner(call)
        }
        copy.sources = sources
        return copy
    }
}

/// What needs somebody's attention.
enum Attention {
    static func html(_ needs: JSONValue, _ call: PageCall) -> HTML {
        let entries = entries(needs, call)
        return Parts.panel("Needs attention") {
            if entries.isEmpty {
                p(.class("all-well")) { "Nothing. All is well." }
            } else {
                ul(.class("attention")) { for entry in entries { li { entry } } }
            }
        }
    }

    private static func entries(_ needs: JSONValue, _ call: PageCall) -> [HTML] {
        var entries: [HTML] = []
        for gone in needs.items("workers_gone") {
            entries.append(
                line("Worker gone", .bad, "/fleet") {
                    Format.written(gone.text("id") ?? "")
                    " was last heard of \(Format.seconds(gone.real("seen_seconds_ago") ?? 0)) ago"
                })
        }
        for group in needs.items("dead_letters") {
            let (kind, code) = (group.text("kind") ?? "", group.text("code") ?? "")
            entries.append(
                line("Dead letters", .bad, "/dead?kind=\(RequestTarget.encode(kind))&code=\(RequestTarget.encode(code))") {
                    "\(Format.count(group.int("letters") ?? 0, "letter")): "
                    Format.written("\(kind), \(code)")
                })
        }
        for breach in needs.items("breached").prefix(20) {
            entries.append(
                line("Limit reached", .bad, "/alerts?state=breached") {
                    Format.written(breach.text("tenant") ?? "the pool of \(breach.text("account") ?? "")")
                    ": \(Format.number(breach.int("value") ?? 0)) of \(Format.number(breach.int("limit") ?? 0)) \(UsageTable.name(breach.text("metric")))"
                })
        }
        for webhook in needs.items("failing_webhooks").prefix(20) {
            let place =
                call.visitor.isOperator
                ? "/accounts/\(RequestTarget.encode(webhook.text("account") ?? ""))"
                : "/webhooks/\(RequestTarget.encode(webhook.text("webhook") ?? ""))"
            entries.append(
                line("Webhook failing", .warn, place) {
                    Format.written(webhook.text("url") ?? "")
                    if let reason = webhook.text("reason") {
                        ": "
                        Format.written(reason)
                    }
                    if let since = webhook.text("failing_since") {
                        ", since "
                        call.visitor.clock.html(since)
                    }
                })
        }
        if let idle = needs.int("idle_tenants"), idle > 0 {
            entries.append(
                line("Idle", .calm, "/tenants?idle=true") { "\(Format.count(idle, "chatbot")) had no visitor for long" })
        }
        if let waiting = needs.int("outbox_waiting"), waiting > 0, let age = needs.real("outbox_oldest_seconds"), age > 30 {
            entries.append(
                line("Alerts wait", .warn, "/fleet") {
                    "\(Format.count(waiting, "message")) to be published, the oldest for \(Format.seconds(age))"
                })
        }
        return entries
    }

    private static func line(_ what: String, _ tone: Parts.Tone, _ path: String, @HTML.Builder _ text: () -> HTML) -> HTML {
        a(.href(path)) {
            Parts.badge(what, tone)
            span { text() }
        }
    }
}
