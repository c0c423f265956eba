internal import API
internal import Contract
internal import HTML

/// An account's chatbots as cards: how they are, and how much of the pool they use.
enum TenantCards {
    /// The chatbots of one page with their messages in this period.
    struct Cards: Sendable {
        let rows: [JSONValue]
        /// By slug: what `/v1/usage/tenants` tells.
        let usage: [String: JSONValue]
        let next: String?
    }

    static func read(_ call: PageCall, limit: Int? = nil) async throws -> Cards {
        let list = try await call.list(TenantPages.target(call, limit: limit))
        let slugs = list.rows.compactMap { $0.text("slug") }
        return Cards(rows: list.rows, usage: try await usage(of: slugs, list.rows, call), next: list.next)
    }

    /// Of these chatbots, which for an operator may be several accounts'.
    static func usage(of slugs: [String], _ rows: [JSONValue], _ call: PageCall) async throws -> [String: JSONValue] {
        guard !slugs.isEmpty, call.visitor.may(read: .usage) else { return [:] }
        var found: [String: JSONValue] = [:]
        let accounts = call.visitor.isOperator ? Set(rows.compactMap { $0.text("account") }).sorted().map(Optional.some) : [nil]
        // An operator's page of several customers: the first few, so that a page stays a page.
        for account in accounts.prefix(5) {
            let own = account == nil ? slugs : rows.filter { $0.text("account") == account }.compactMap { $0.text("slug") }
            let parameters = own.map { ("tenant", Optional($0)) } + [("account", account), ("days", "true"), ("limit", "200")]
            for row in try await call.list(PageCall.target(["usage", "tenants"], parameters)).rows {
                if let slug = row.text("tenant") { found[slug] = row }
            }
        }
        return found
    }

    /// - Parameter heading: of each card, one below that of what they stand in.
    static func html(_ cards: Cards, heading: Tag, _ call: PageCall) -> HTML {
        guard !cards.rows.isEmpty else { return div(.class("empty")) { empty(call) } }
        return ul(.class("cards")) {
            for row in cards.rows { li { card(row, cards.usage[row.text("slug") ?? ""], heading, call) } }
        }
    }

    static func empty(_ call: PageCall) -> HTML {
        if call["q"] != nil || call["state"] != nil || call["idle"] != nil {
            return Parts.empty("No chatbot matches.", "Take a filter away.", link: ("All chatbots", "/tenants"))
        }
        guard call.visitor.may(.tenantCreate) else { return Parts.empty("No chatbot yet.") }
        return Parts.empty(
            "No chatbot yet.", "Each of your customers gets one: a corpus, conversations and settings of its own.",
            link: ("New chatbot", "/tenants/new"))
    }

    /// Whether no visitor has written for long, to a chatbot that could answer.
    static func isIdle(_ row: JSONValue, _ call: PageCall) -> Bool {
        let hours = call.site.api.options.idleHours
        guard hours > 0, row.text("state") == "active", let since = row.text("last_active_at") ?? row.text("created_at") else {
            return false
        }
        return call.visitor.clock.seconds(since: since) ?? 0 > Double(hours) * 3_600
    }

    private static func card(_ row: JSONValue, _ usage: JSONValue?, _ heading: Tag, _ call: PageCall) -> HTML {
        let slug = row.text("slug") ?? ""
        return div(.class("card")) {
            div(.class("card-head")) {
                heading {
                    a(.href("/tenants/\(RequestTarget.encode(slug))")) { Format.written(row.text("display_name") ?? slug) }
                }
                if isIdle(row, call) { Parts.badge("idle", .warn) } else { Parts.badge(row.text("state") ?? "") }
            }
            p(.class("card-slug")) {
                code { slug }
                if let environment = row.text("environment"), environment != "production" { Parts.badge(environment, .calm) }
                if call.visitor.isOperator { small { Format.written(row.text("account") ?? "") } }
            }
            Parts.meter(usage?.int("value") ?? 0, of: usage?.int("limit"), "Messages")
            div(.class("card-foot")) {
                small {
                    if let share = usage?.real("share") { "\(Format.percent(share)) of the pool" } else { "messages this period" }
                }
                if let days = usage?.items("days"), days.count > 1 {
                    Plots.spark(days.compactMap(\.int), "Messages by day")
                }
            }
            p(.class("card-active")) {
                small {
                    if row.text("last_active_at") == nil {
                        "No visitor yet"
                    } else {
                        "Last visitor "
                        call.visitor.clock.html(row.text("last_active_at"))
                    }
                }
            }
        }
    }
}
