internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import Jobs
internal import People

/// The platform's customers, for operators; and the plans, which customers see, too.
enum AccountPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/accounts", sources: { [.init("accounts", $0.target(["accounts"], passing: ["cursor", "limit"]))] },
            { call in
                let list = try await call.list(call.target(["accounts"], passing: ["cursor", "limit"]))
                return Page(
                    title: "Accounts", place: "accounts",
                    actions: call.visitor.may(.accountCreate)
                        ? a(.class("button button-primary"), .href("/accounts/new")) { "New account" } : HTML(),
                    blocks: [.live("accounts") { accounts(list, call) }])
            }),
        PageRoute("/accounts/new", create, act: createAccount),
        PageRoute("/accounts/{account}", sources: sources, one, act: change),
        PageRoute("/accounts/{account}/rotate", rotating, act: rotate),
        PageRoute("/accounts/{account}/look", ImpersonationPages.ask, act: ImpersonationPages.begin),
        PageRoute(
            "/plans", sources: { [.init("plans", $0.target(["plans"], passing: ["cursor", "limit"]))] },
            { call in
                let list = try await call.list(call.target(["plans"], passing: ["cursor", "limit"]))
                return Page(title: "Plans", place: "plans", blocks: [.fixed { plans(list, call) }])
            }),
    ]

    private static func accounts(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Accounts",
            columns: [
                .init("Account", key: "slug") { row in
                    a(.href("/accounts/\(RequestTarget.encode(row.text("slug") ?? ""))")) {
                        Format.written(row.text("slug") ?? "")
                    }
                },
                .init("Name", key: "display_name") { Format.written($0.text("display_name") ?? "") },
                .init("Plan", key: "plan") { Format.written($0.text("plan") ?? "") },
                .init("State", key: "state") { Parts.badge($0.text("state") ?? "") },
                .init("Zone", key: "timezone") { Format.written($0.text("timezone") ?? "") },
                .init("Since", key: "created_at") { row in HTML(text: call.visitor.clock.day(row.text("created_at"))) },
            ], list: list,
            empty: Parts.empty(
                "No account yet.", "An account is a customer of the platform.", link: ("New account", "/accounts/new"))
        ).html(call)
    }

    private static func sources(_ call: PageCall) -> [PageRoute.Source] {
        let account = call.name("account")
        return [
            .init("account", PageCall.target(["accounts", account])),
            .init("usage", PageCall.target(["usage"], [("account", account)])),
            .init("tenants", PageCall.target(["tenants"], [("account", account), ("limit", "200")])),
        ]
    }

    private static func one(_ call: PageCall) async throws -> Page {
        let slug = call.name("account")
        async let accountAnswer = call.get(PageCall.target(["accounts", slug]))
        async let usageAnswer = call.find(PageCall.target(["usage"], [("account", slug)]))
        async let plansAnswer = planNames(call)
        let (account, usage, plans) = try await (accountAnswer, usageAnswer, plansAnswer)
        let path = "/accounts/\(RequestTarget.encode(slug))"
        return Page(
            title: account.text("display_name") ?? slug, place: "accounts", crumbs: [("Accounts", "/accounts")],
            actions: HTML {
                a(.class("button"), .href("/tenants?account=\(RequestTarget.encode(slug))")) { "Chatbots" }
                if call.visitor.may(.accountRotate) { a(.class("button"), .href("\(path)/rotate")) { "Rotate the credential" } }
                a(.class("button"), .href("/usage?account=\(RequestTarget.encode(slug))")) { "Usage" }
                if call.visitor.isOperator, !call.visitor.isReadOnly {
                    a(.class("button"), .href("\(path)/look")) { "Look as this account" }
                }
            },
            blocks: [
                .fixed {
                    Parts.panel("Account") {
                        Parts.facts([
                            ("Short name", HTML { code { slug } }), ("State", Parts.badge(account.text("state") ?? "")),
                            ("Plan", Format.written(account.text("plan") ?? "")),
                            ("Zone", Format.written(account.text("timezone") ?? "")),
                            ("Periods begin on day", HTML(text: Format.number(account.int("billing_anchor_day") ?? 1))),
                            ("Since", call.visitor.clock.html(account.text("created_at"))),
                        ])
                    }
                },
                .live("pool") { if let usage { OverviewPages.pool(usage, call) } },
                .fixed {
                    if call.visitor.may(.accountUpdate) {
                        Parts.panel("Change it") { changeForm(account, plans, call).html(call) }
                    }
                },
            ])
    }

    private static func changeForm(_ account: JSONValue, _ plans: [String], _ call: PageCall) -> FormBox {
        FormBox(
            fields: [
                .init(name: "display_name", label: "Name", value: account.text("display_name") ?? "", isRequired: true),
                .init(
                    name: "plan", label: "Plan", control: .select(plans.map { ($0, $0) }), value: account.text("plan") ?? "",
                    isRequired: true),
                .init(
                    name: "timezone", label: "Time zone",
                    hint: "Of IANA's names, such as Europe/Berlin. Periods and days go by it.",
                    value: account.text("timezone") ?? "", isRequired: true),
            ], submit: "Save",
            command: Command.enqueue(
                .accountUpdate, ["account": .string(call.name("account")), "plan": .string(account.text("plan") ?? "")]))
    }

    private static func change(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = [:]
        for name in ["display_name", "plan", "timezone"] { if let text = call.form[name] { body[name] = .string(text) } }
        return try await call.send(.patch, PageCall.target(["accounts", call.name("account")]), .object(body)).next(
            call.path, .saved)
    }

    static func planNames(_ call: PageCall) async throws -> [String] {
        guard call.visitor.may(read: .plans) else { return [] }
        return try await call.list("/v1/plans?limit=200").rows.compactMap { $0.text("name") }
    }

    // MARK: Its credential

    private static func rotating(_ call: PageCall) async throws -> Page {
        guard call.visitor.may(.accountRotate) else { throw LetterPages.notHere }
        let account = call.name("account")
        _ = try await call.get(PageCall.target(["accounts", account]))
        let box = FormBox(
            fields: [
                .init(
                    name: "overlap_seconds", label: "Seconds that the earlier ones work on", control: .text(type: "number"),
                    hint: "Until then both work, so that nothing stands still. 0 ends them at once.",
                    value: "86400", isRequired: true, more: [Attribute("min", "0"), Attribute("max", "2592000")]),
                .proof(call.visitor),
            ], submit: "Make a new credential", isDangerous: true,
            command: Command.enqueue(.accountRotate, ["account": .string(account)]),
            cancel: "/accounts/\(RequestTarget.encode(account))")
        return Page(
            title: "Rotate the credential of \(account)", place: "accounts",
            blocks: [
                .fixed(
                    section(.class("panel")) {
                        p {
                            "The account gets a new credential. Those that it has end then, and the sessions that were opened with them."
                        }
                        box.html(call)
                    })
            ], hasFiles: false)
    }

    private static func rotate(_ call: PageCall) async throws -> PageAnswer {
        try await Proof.require(call)
        guard let overlap = call.form["overlap_seconds"].flatMap({ Int64($0) }) else {
            throw LocalAPI.Failure.field("overlap_seconds", "Must be a number of seconds.")
        }
        let body: JSONValue = [
            "kind": "account.rotate", "payload": ["account": .string(call.name("account")), "overlap_seconds": .int(overlap)],
        ]
        let sent = try await call.send(.post, "/v1/jobs", body)
        guard let key = sent.result.text("key"), let secret = sent.result.text("secret") else { return sent.next("/", .saved) }
        let page = Page(
            title: "The new credential", place: "accounts",
            blocks: [.fixed { Parts.panel("Credential") { Parts.secret("\(key).\(secret)", "the credential") } }], hasFiles: false
        )
        return .page(page, status: 201)
    }

    // MARK: A new one

    private static func create(_ call: PageCall) async throws -> Page {
        let plans = try await planNames(call)
        let box = FormBox(
            fields: [
                .init(
                    name: "slug", label: "Short name",
                    hint: "2 to 40 of a to z, 0 to 9 and hyphens, a letter first. It never changes.",
                    isRequired: true, more: [Attribute("autocomplete", "off")]),
                .init(name: "display_name", label: "Name", isRequired: true),
                .init(name: "plan", label: "Plan", control: .select(plans.map { ($0, $0) }), isRequired: true),
                .init(name: "timezone", label: "Time zone", hint: "Of IANA's names, such as Europe/Berlin.", value: "UTC"),
            ], submit: "Create",
            command: Command.enqueue(
                .accountCreate, ["slug": "acme", "display_name": "Acme", "plan": .string(plans.first ?? "pro")]),
            cancel: "/accounts")
        return Page(
            title: "New account", place: "accounts", crumbs: [("Accounts", "/accounts")],
            blocks: [.fixed { section(.class("panel")) { box.html(call) } }], hasFiles: false)
    }

    private static func createAccount(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = [:]
        for name in ["slug", "display_name", "plan", "timezone"] { if let text = call.form[name] { body[name] = .string(text) } }
        let sent = try await call.send(.post, "/v1/accounts", .object(body))
        guard let key = sent.result.text("key"), let secret = sent.result.text("secret") else {
            return sent.next("/accounts", .created)
        }
        let page = Page(
            title: "Account created", place: "accounts", crumbs: [("Accounts", "/accounts")],
            blocks: [
                .fixed {
                    Parts.panel("Its credential") { Parts.secret("\(key).\(secret)", "the credential") }
                    p {
                        a(.class("button"), .href("/accounts/\(RequestTarget.encode(call.form["slug"] ?? ""))")) {
                            "To the account"
                        }
                    }
                }
            ], hasFiles: false)
        return .page(page, status: 201)
    }

    // MARK: Plans

    private static func plans(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Plans",
            columns: [
                .init("Plan", key: "name") { row in strong { Format.written(row.text("name") ?? "") } },
                .init("Name", key: "display_name") { Format.written($0.text("display_name") ?? "") },
                .init("Limits") { row in
                    if case .object(let limits)? = row["limits"] {
                        for (metric, limit) in limits.sorted(by: { $0.key < $1.key }) {
                            p { "\(UsageTable.name(metric)): \(limitText(limit))" }
                        }
                    } else {
                        for limit in row.items("limits") {
                            p { "\(UsageTable.name(limit.text("metric"))): \(limitText(limit))" }
                        }
                    }
                },
                .init("Jobs a minute", key: "jobs_per_minute", isNumber: true) { row in
                    HTML(text: row.int("jobs_per_minute").map { Format.number($0) } ?? "no limit")
                },
                .init("Plans of chatbots") { Format.written($0.texts("tenant_plans").joined(separator: ", ")) },
            ], list: list,
            empty: Parts.empty("No plan yet.", "Plans are applied from a file: tenantry plans apply config/plans.yaml")
        ).html(call)
    }

    private static func limitText(_ limit: JSONValue) -> String {
        if let number = limit.int { return Format.number(number) }
        let value = (limit.int("limit") ?? limit.int("value")).map { Format.number($0) } ?? "no limit"
        return limit.text("mode").map { "\(value) (\($0))" } ?? value
    }
}
