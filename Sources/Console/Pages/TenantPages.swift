internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Jobs

/// The chatbots: as cards or as a table, and one of them.
enum TenantPages {
    static let all: [PageRoute] = [
        PageRoute("/tenants", sources: { [.init("tenants", target($0))] }, list),
        PageRoute("/tenants/{slug}", sources: sources, home),
        PageRoute("/tenants/{slug}/export") { call in
            .file(
                try await call.reply(LocalAPI.Request(.get, PageCall.target(["tenants", call.name("slug"), "export"]))),
                name: "\(call.name("slug")).jsonl")
        },
    ]

    private static let filters = ["q", "state", "plan", "environment", "idle", "account"]

    static func target(_ call: PageCall, limit: Int? = nil) -> String {
        limit.map { call.target(["tenants"], passing: [], [("limit", "\($0)")]) }
            ?? call.target(["tenants"], passing: filters + ["cursor", "limit"])
    }

    static func actions(_ call: PageCall) -> HTML {
        HTML {
            if call.visitor.may(.tenantCreate) { a(.class("button button-primary"), .href("/tenants/new")) { "New chatbot" } }
            if call.visitor.may(.tenantCreateMany) { a(.class("button"), .href("/tenants/manifest")) { "From a manifest" } }
        }
    }

    private static func list(_ call: PageCall) async throws -> Page {
        let cards = try await TenantCards.read(call)
        let isTable = call["view"] == "table"
        let list = PageCall.Listed(rows: cards.rows, next: cards.next)
        return Page(
            title: "Chatbots", place: "tenants", actions: actions(call),
            blocks: [
                .fixed {
                    div(.class("bar-row")) {
                        FilterBar(
                            filters: [
                                .init(name: "q", label: "Name"),
                                .init(
                                    name: "state", label: "State",
                                    options: TenantState.allCases.map { ($0.rawValue, $0.rawValue) }),
                                .init(name: "idle", label: "Idle", options: [("true", "idle"), ("false", "in use")]),
                                .init(name: "environment", label: "Environment"),
                            ] + (call.visitor.isOperator ? [.init(name: "account", label: "Account")] : [])
                        ).html(call)
                        Parts.choice("View", "view", [(nil, "Cards"), ("table", "Table")], call)
                    }
                },
                .live("tenants") {
                    if isTable {
                        tenants(list, cards.usage, call)
                    } else {
                        TenantCards.html(cards, heading: h2, call)
                        pager(cards.next, call)
                    }
                },
            ])
    }

    private static func pager(_ next: String?, _ call: PageCall) -> HTML? {
        guard next != nil || call["cursor"] != nil else { return nil }
        return nav(.class("pager"), .label("Pages of chatbots")) {
            if call["cursor"] != nil { a(.class("button"), .href(call.link([("cursor", nil)]))) { "First page" } }
            if let next { a(.class("button"), .href(call.link([("cursor", next)])), Attribute("rel", "next")) { "Next page" } }
        }
    }

    private static func tenants(_ list: PageCall.Listed, _ usage: [String: JSONValue], _ call: PageCall) -> HTML {
        func used(_ row: JSONValue) -> JSONValue? { usage[row.text("slug") ?? ""] }
        return DataTable(
            caption: "Chatbots",
            columns: [
                .init("Chatbot", key: "display_name") { row in
                    a(.href("/tenants/\(RequestTarget.encode(row.text("slug") ?? ""))")) {
                        Format.written(row.text("display_name") ?? "")
                    }
                },
                .init("Short name", key: "slug") { row in code { row.text("slug") ?? "" } },
                .init("State", key: "state") { row in
                    Parts.badge(row.text("state") ?? "")
                    if TenantCards.isIdle(row, call) { Parts.badge("idle", .warn) }
                },
                .init("Environment", key: "environment") { Format.written($0.text("environment") ?? "") },
                .init("Plan", key: "plan") { Format.written($0.text("plan") ?? "account's") },
                .init("Messages") { row in Parts.meter(used(row)?.int("value") ?? 0, of: used(row)?.int("limit"), "Messages") },
                .init("Share", isNumber: true) { row in HTML(text: used(row)?.real("share").map { Format.percent($0) } ?? "–") },
                .init("Last visitor", key: "last_active_at") { row in call.visitor.clock.html(row.text("last_active_at")) },
            ], list: list, empty: TenantCards.empty(call)
        ).html(call)
    }

    // MARK: One

    private static func sources(_ call: PageCall) -> [PageRoute.Source] {
        let slug = call.name("slug")
        return [
            .init("tenant", PageCall.target(["tenants", slug])), .init("usage", PageCall.target(["tenants", slug, "usage"])),
        ]
    }

    private static func home(_ call: PageCall) async throws -> Page {
        let slug = call.name("slug")
        async let tenantAnswer = call.get(PageCall.target(["tenants", slug]))
        async let usageAnswer =
            call.visitor.may(read: .usage)
            ? call.find(PageCall.target(["tenants", slug, "usage"], [("metric", "messages")])) : nil
        async let metricsAnswer = call.visitor.may(read: .usage) ? call.find(PageCall.target(["tenants", slug, "usage"])) : nil
        let (tenant, usage, metrics) = try await (tenantAnswer, usageAnswer, metricsAnswer)
        return Page(
            title: tenant.text("display_name") ?? slug, place: TenantTabs.place(call, "Overview"),
            crumbs: TenantTabs.crumbs(call),
            actions: lifeActions(tenant, call), tabs: TenantTabs.all(slug, call.visitor),
            blocks: [
                .live("state") { Parts.panel("Chatbot") { Parts.facts(facts(tenant, call)) } },
                .live("usage") {
                    if let metrics {
                        Parts.panel("This period") { UsageTable.meters(metrics.items("metrics"), call) }
                    }
                    if let usage {
                        Parts.panel("Messages by day") { UsageTable.history(usage, metric: "messages", by: "day", call) }
                    }
                },
            ])
    }

    private static func facts(_ tenant: JSONValue, _ call: PageCall) -> [(String, HTML)] {
        let clock = call.visitor.clock
        var facts: [(String, HTML)] = [
            ("Short name", Parts.copyable(tenant.text("slug") ?? "", "the short name")),
            ("State", Parts.badge(tenant.text("state") ?? "")),
            ("Environment", Format.written(tenant.text("environment") ?? "")),
            ("Plan", Format.written(tenant.text("plan") ?? "the account's")),
            ("Billing", Format.written(tenant.text("billing_mode") ?? "")), ("Since", clock.html(tenant.text("created_at"))),
        ]
        if let time = tenant.text("suspended_at") { facts.append(("Suspended", clock.html(time))) }
        if let time = tenant.text("archived_at") { facts.append(("Archived", clock.html(time))) }
        if let time = tenant.text("purge_at") { facts.append(("Will be purged", clock.html(time))) }
        if call.visitor.isOperator { facts.append(("Account", Format.written(tenant.text("account") ?? ""))) }
        return facts
    }

    private static func lifeActions(_ tenant: JSONValue, _ call: PageCall) -> HTML {
        let path = "/tenants/\(RequestTarget.encode(call.name("slug")))"
        let state = tenant.text("state")
        func link(_ name: String, _ deed: String, if isThere: Bool) -> HTML? {
            isThere ? a(.class("button"), .href("\(path)/\(deed)")) { name } : nil
        }
        let visitor = call.visitor
        return HTML {
            link(
                "Change", "change",
                if: visitor.may(.tenantUpdate) && visitor.principal.role != .tenantAdmin && visitor.principal.role != .token
                    && state != "archived")
            link("Apply a template", "apply-template", if: visitor.may(.templateApply) && state == "active")
            link("Suspend", "suspend", if: visitor.may(.tenantSuspend) && state == "active")
            link("Resume", "resume", if: visitor.may(.tenantResume) && state == "suspended")
            link("Restore", "restore", if: visitor.may(.tenantRestore) && state == "archived")
            link("Delete", "delete", if: visitor.may(.tenantDelete))
            if visitor.may(read: .export) {
                a(.class("button"), .href("\(path)/export"), Attribute("download", nil)) { "Export" }
            }
        }
    }
}

/// The parts of one chatbot.
enum TenantTabs {
    static func all(_ slug: String, _ visitor: Visitor) -> [Page.Tab] {
        let path = "/tenants/\(RequestTarget.encode(slug))"
        var tabs = [Page.Tab(name: "Overview", path: path)]
        func add(_ name: String, _ part: String, _ reading: Reading) {
            if visitor.may(read: reading) { tabs.append(Page.Tab(name: name, path: "\(path)/\(part)")) }
        }
        add("Corpus", "corpus", .documents)
        add("Conversations", "conversations", .conversations)
        add("Settings", "settings", .settings)
        add("Usage", "usage", .usage)
        add("Tokens", "tokens", .tokens)
        add("Administrators", "admins", .administrators)
        if visitor.tenant == nil { add("Webhooks", "webhooks", .webhooks) }
        return tabs
    }

    /// What is marked in the navigation on the side: a tenant's own people have the parts there.
    static func place(_ call: PageCall, _ tab: String) -> String { call.visitor.tenant == nil ? "tenants" : tab }

    static func crumbs(_ call: PageCall, below: Bool = false) -> [(name: String, path: String)] {
        let slug = call.name("slug")
        let own = [(name: slug, path: "/tenants/\(RequestTarget.encode(slug))")]
        let list = call.visitor.tenant == nil ? [(name: "Chatbots", path: "/tenants")] : []
        return list + (below ? own : [])
    }
}
