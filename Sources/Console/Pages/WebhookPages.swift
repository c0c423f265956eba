internal import API
internal import Contract
internal import HTML
internal import HTTPTypes

/// Webhooks of an account, or of one chatbot.
enum WebhookPages {
    static let all: [PageRoute] = routes(under: "") + routes(under: "/tenants/{slug}")

    private static func routes(under base: String) -> [PageRoute] {
        [
            PageRoute("\(base)/webhooks", sources: { [.init("webhooks", target($0))] }, list),
            PageRoute("\(base)/webhooks/new", new, act: create),
            PageRoute("\(base)/webhooks/{id}", sources: sources, one, act: act),
            PageRoute("\(base)/webhooks/{id}/change", changing, act: change),
            PageRoute("\(base)/webhooks/{id}/rotate", rotating, act: rotate),
            PageRoute("\(base)/webhooks/{id}/remove", removing, act: remove),
        ]
    }

    static func parts(_ call: PageCall, _ more: String...) -> [String] {
        (call.names["slug"].map { ["tenants", $0] } ?? []) + ["webhooks"] + more
    }

    static func path(_ call: PageCall) -> String {
        (call.names["slug"].map { "/tenants/\(RequestTarget.encode($0))" } ?? "") + "/webhooks"
    }

    static func own(_ call: PageCall) -> String { "\(path(call))/\(RequestTarget.encode(call.name("id")))" }

    private static func target(_ call: PageCall) -> String { call.target(parts(call), passing: ["cursor", "limit"]) }

    private static func sources(_ call: PageCall) -> [PageRoute.Source] {
        [
            .init("deliveries", call.target(parts(call, call.name("id"), "deliveries"), passing: ["state", "cursor", "limit"])),
            .init("webhook", PageCall.target(parts(call, call.name("id")))),
        ]
    }

    static func crumbs(_ call: PageCall) -> [(name: String, path: String)] {
        (call.names["slug"] == nil ? [] : TenantTabs.crumbs(call, below: true)) + [("Webhooks", path(call))]
    }

    static func place(_ call: PageCall) -> String { call.names["slug"] == nil ? "webhooks" : "tenants" }

    static func formPage(_ title: String, _ call: PageCall, @HTML.Builder _ content: () -> HTML) -> Page {
        Page(
            title: title, place: place(call), crumbs: crumbs(call), blocks: [.fixed(section(.class("panel")) { content() })],
            hasFiles: false)
    }

    // MARK: The list

    private static func list(_ call: PageCall) async throws -> Page {
        let list = try await call.list(target(call))
        let webhooks = DataTable(
            caption: "Webhooks",
            columns: [
                .init("URL", key: "url") { row in
                    a(.href("\(path(call))/\(RequestTarget.encode(row.text("id") ?? ""))")) {
                        Format.written(row.text("url") ?? "")
                    }
                },
                .init("Events") { row in for event in row.texts("events") { span(.class("tag")) { event } } },
                .init("For", key: "description") { Format.written($0.text("description") ?? "–") },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "–") },
                .init("State", key: "state") { row in
                    Parts.badge(row.text("state") ?? "")
                    if let reason = row.text("reason") {
                        " "
                        Format.written(reason)
                    }
                },
                .init("Since", key: "created_at") { row in HTML(text: call.visitor.clock.day(row.text("created_at"))) },
            ], list: list,
            empty: Parts.empty(
                "No webhook yet.", "A webhook is a URL of yours that is called when something happens: an alert, an invoice."))
        let slug = call.names["slug"]
        return Page(
            title: "Webhooks", place: place(call), crumbs: slug == nil ? [] : TenantTabs.crumbs(call, below: true),
            actions: call.visitor.may(.webhookCreate)
                ? a(.class("button button-primary"), .href("\(path(call))/new")) { "New webhook" } : HTML(),
            tabs: slug.map { TenantTabs.all($0, call.visitor) } ?? [], blocks: [.live("webhooks") { webhooks.html(call) }])
    }

    // MARK: A new one

    private static func fields(_ webhook: JSONValue) -> [FormBox.Field] {
        [
            .init(
                name: "url", label: "URL", control: .text(type: "url"), hint: "https only.", value: webhook.text("url") ?? "",
                isRequired: true),
            .init(
                name: "events", label: "Events", control: .area(rows: 4),
                hint: "One pattern a line: limit.#, tenant.*, invoice.created. * is a word, # any number of them.",
                value: webhook.texts("events").joined(separator: "\n"), isRequired: true),
            .init(name: "description", label: "What for", value: webhook.text("description") ?? ""),
        ]
    }

    private static func body(_ form: FormData) -> [String: JSONValue] {
        let events = (form.raw("events") ?? "").split { $0.isNewline || $0 == "," || $0 == " " }.map {
            JSONValue.string($0.trimmed)
        }
        return [
            "url": .string(form["url"] ?? ""), "events": .array(events),
            "description": form["description"].map { .string($0) } ?? .null,
        ]
    }

    private static func new(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: fields(["events": ["limit.#"]]), submit: "Create the webhook",
            command: Command.line(["tenantry", "webhook", "create", "https://hooks.example.com/tenantry", "--events", "limit.#"]),
            cancel: path(call))
        return formPage("New webhook", call) { box.html(call) }
    }

    private static func create(_ call: PageCall) async throws -> PageAnswer {
        var members = body(call.form)
        if members["description"] == .null { members["description"] = nil }
        let sent = try await call.send(.post, PageCall.target(parts(call)), .object(members))
        guard let id = sent.result.text("webhook"), let secret = sent.result.text("secret") else {
            return sent.next(path(call), .created)
        }
        let page = formPage("Webhook created", call) {
            p { "Each call is signed with this secret, as Standard Webhooks has it." }
            Parts.secret(secret, "the secret")
            p { a(.class("button"), .href("\(path(call))/\(RequestTarget.encode(id))")) { "To the webhook" } }
        }
        return .page(page, status: 201)
    }

    // MARK: One

    private static func one(_ call: PageCall) async throws -> Page {
        let targets = sources(call)
        async let deliveriesAnswer = call.list(targets[0].target)
        async let webhookAnswer = call.get(targets[1].target)
        let (deliveries, webhook) = try await (deliveriesAnswer, webhookAnswer)
        let id = call.name("id")
        return Page(
            title: "Webhook", place: place(call), crumbs: crumbs(call),
            actions: HTML {
                if call.visitor.may(.webhookUpdate) { a(.class("button"), .href("\(own(call))/change")) { "Change" } }
                if call.visitor.may(.webhookRotate) { a(.class("button"), .href("\(own(call))/rotate")) { "Rotate the secret" } }
                if call.visitor.may(.webhookRemove) { a(.class("button"), .href("\(own(call))/remove")) { "Remove" } }
            },
            blocks: [
                .live("webhook") { Parts.panel("Webhook") { Parts.facts(facts(webhook, call)) } },
                .fixed { if call.visitor.may(.webhookTest) { deeds(webhook, id, call) } },
                .live("deliveries") {
                    Parts.panel("Deliveries") {
                        Parts.choice(
                            "State", "state",
                            [(nil, "all"), ("pending", "pending"), ("succeeded", "succeeded"), ("failed", "failed")], call)
                        DeliveryPages.list(deliveries, call)
                    }
                },
            ])
    }

    private static func facts(_ webhook: JSONValue, _ call: PageCall) -> [(String, HTML)] {
        var facts: [(String, HTML)] = [
            ("URL", Format.written(webhook.text("url") ?? "")), ("State", Parts.badge(webhook.text("state") ?? "")),
            ("Events", HTML { for event in webhook.texts("events") { span(.class("tag")) { event } } }),
            ("What for", Format.written(webhook.text("description") ?? "–")),
            ("Since", call.visitor.clock.html(webhook.text("created_at"))),
        ]
        if let reason = webhook.text("reason") { facts.insert(("Why", Format.written(reason)), at: 2) }
        return facts
    }

    private static func deeds(_ webhook: JSONValue, _ id: String, _ call: PageCall) -> HTML {
        Parts.panel("Try it, mend it") {
            if let failure = call.failure { FormBox.alert(failure) }
            div(.class("buttons")) {
                form(.method("post"), .action(own(call))) {
                    button(.type("submit"), .name("deed"), .value("test"), .class("button button-primary")) {
                        "Send a test event"
                    }
                }
                if webhook.text("state") == "disabled" {
                    form(.method("post"), .action(own(call))) {
                        button(.type("submit"), .name("deed"), .value("enable"), .class("button")) { "Enable it again" }
                    }
                } else {
                    form(.method("post"), .action(own(call))) {
                        button(.type("submit"), .name("deed"), .value("disable"), .class("button")) { "Disable it" }
                    }
                }
            }
            form(.method("post"), .action(own(call)), .class("inline-form")) {
                labelElement(.for("since")) { "Make all failed deliveries once more, since" }
                input(.id("since"), .name("since"), .type("date"), .flag("required"))
                button(.type("submit"), .name("deed"), .value("recover"), .class("button")) { "Recover" }
            }
            Parts.command(Command.line(["tenantry", "webhook", "test", id]))
        }
    }

    private static func act(_ call: PageCall) async throws -> PageAnswer {
        let target = parts(call, call.name("id"))
        switch call.form.raw("deed") {
        case "test": return try await call.send(.post, PageCall.target(target + ["test"]), [:]).next(own(call), .sent)
        case "enable", "disable":
            let state: JSONValue = ["state": call.form.raw("deed") == "enable" ? "enabled" : "disabled"]
            return try await call.send(.patch, PageCall.target(target), state).next(own(call), .saved)
        case "recover":
            let since = call.form["since"] ?? ""
            let body: JSONValue = ["since": .string(call.visitor.clock.begin(of: since) ?? since)]
            return try await call.send(.post, PageCall.target(target + ["recover"]), body).next(own(call), .recovered)
        default: throw LocalAPI.Failure.field("deed", "Nothing of this name can be done here.")
        }
    }

    private static func changing(_ call: PageCall) async throws -> Page {
        let webhook = try await call.get(PageCall.target(parts(call, call.name("id"))))
        let box = FormBox(
            fields: fields(webhook), submit: "Save",
            command: Command.enqueue(
                .webhookUpdate, tenant: call.names["slug"], ["webhook": .string(call.name("id")), "events": ["limit.#"]]),
            cancel: own(call))
        return formPage("Change the webhook", call) { box.html(call) }
    }

    private static func change(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.patch, PageCall.target(parts(call, call.name("id"))), .object(body(call.form))).next(
            own(call), .saved)
    }

    private static func rotating(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: [.proof(call.visitor)], submit: "Make a new secret", isDangerous: true,
            command: Command.line(["tenantry", "webhook", "rotate", call.name("id")]), cancel: own(call))
        return formPage("Rotate the secret", call) {
            p { "For a day both secrets sign, so that nothing is lost; then the one before is worth nothing." }
            box.html(call)
        }
    }

    private static func rotate(_ call: PageCall) async throws -> PageAnswer {
        try await Proof.require(call)
        let sent = try await call.send(.post, PageCall.target(parts(call, call.name("id"), "rotate")), [:])
        guard let secret = sent.result.text("secret") else { return sent.next(own(call), .saved) }
        let page = formPage("The new secret", call) {
            Parts.secret(secret, "the secret")
            p { a(.class("button"), .href(own(call))) { "To the webhook" } }
        }
        return .page(page, status: 201)
    }

    private static func removing(_ call: PageCall) async throws -> Page {
        let webhook = try await call.get(PageCall.target(parts(call, call.name("id"))))
        let box = FormBox(
            submit: "Remove it", isDangerous: true, command: Command.line(["tenantry", "webhook", "remove", call.name("id")]),
            cancel: own(call))
        return formPage("Remove the webhook", call) {
            p {
                Format.written(webhook.text("url") ?? "")
                " is not called any more, and its log of deliveries is gone."
            }
            box.html(call)
        }
    }

    private static func remove(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, PageCall.target(parts(call, call.name("id")))).next(path(call), .removed)
    }
}
