internal import API
internal import Contract
internal import HTML
internal import HTTPTypes

/// What visitors and a chatbot said to each other.
enum ConversationPages {
    static let all: [PageRoute] = [
        PageRoute("/tenants/{slug}/conversations", sources: { [.init("conversations", target($0))] }, list),
        PageRoute("/tenants/{slug}/conversations/{id}", sources: sources, one, act: rate),
        PageRoute("/tenants/{slug}/conversations/{id}/erase", erasing, act: erase),
        PageRoute("/tenants/{slug}/erase", erasingUser, act: eraseUser),
    ]

    private static let filters = ["q", "from", "to", "channel", "user_id", "rating"]

    private static func path(_ call: PageCall) -> String { "/tenants/\(RequestTarget.encode(call.name("slug")))" }

    /// Days are the account's.
    private static func target(_ call: PageCall) -> String {
        func day(_ name: String) -> (String, String?) { (name, call[name].map { call.visitor.clock.begin(of: $0) ?? $0 }) }
        return call.target(
            ["tenants", call.name("slug"), "conversations"], passing: [],
            ["q", "channel", "user_id", "rating", "cursor", "limit"].map { ($0, call[$0]) } + [day("from"), day("to")])
    }

    private static func sources(_ call: PageCall) -> [PageRoute.Source] {
        let base = ["tenants", call.name("slug"), "conversations", call.name("id")]
        return [
            .init("messages", call.target(base + ["messages"], passing: ["cursor", "limit"])),
            .init("conversation", PageCall.target(base)),
        ]
    }

    // MARK: The list

    private static func list(_ call: PageCall) async throws -> Page {
        let list = try await call.list(target(call))
        return Page(
            title: "Conversations", place: TenantTabs.place(call, "Conversations"), crumbs: TenantTabs.crumbs(call, below: true),
            actions: call.visitor.may(.conversationErase)
                ? a(.class("button"), .href("\(path(call))/erase")) { "Erase a visitor" } : HTML(),
            tabs: TenantTabs.all(call.name("slug"), call.visitor),
            blocks: [
                .fixed {
                    FilterBar(filters: [
                        .init(name: "q", label: "Words"), .init(name: "from", label: "From", type: "date"),
                        .init(name: "to", label: "Before", type: "date"), .init(name: "channel", label: "Channel"),
                        .init(name: "user_id", label: "Visitor"),
                        .init(name: "rating", label: "Rated", options: [("1", "good"), ("0", "neither"), ("-1", "bad")]),
                    ]).html(call)
                },
                .live("conversations") { conversations(list, call) },
            ])
    }

    private static func conversations(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Conversations",
            columns: [
                .init("Conversation") { row in
                    a(.href("\(path(call))/conversations/\(RequestTarget.encode(row.text("id") ?? ""))"), .class("preview")) {
                        Format.written(preview(row))
                    }
                },
                .init("Began", key: "started_at") { row in call.visitor.clock.html(row.text("started_at")) },
                .init("Last message", key: "last_message_at") { row in call.visitor.clock.html(row.text("last_message_at")) },
                .init("Messages", key: "message_count", isNumber: true) {
                    HTML(text: Format.number($0.int("message_count") ?? 0))
                },
                .init("Channel", key: "channel") { Format.written($0.text("channel") ?? "–") },
            ], list: list,
            empty: Parts.empty(
                "No conversation here.", "They are logged by jobs conversation.log, or by POST /v1/tenants/{slug}/conversations.")
        ).html(call)
    }

    private static func preview(_ row: JSONValue) -> String {
        guard let text = row.text("preview")?.trimmed, !text.isEmpty else { return row.text("id") ?? "" }
        return text
    }

    // MARK: One

    private static func one(_ call: PageCall) async throws -> Page {
        let targets = sources(call)
        async let messagesAnswer = call.list(targets[0].target)
        async let conversationAnswer = call.get(targets[1].target)
        let (messages, conversation) = try await (messagesAnswer, conversationAnswer)
        let clock = call.visitor.clock
        return Page(
            title: "Conversation \(call.name("id"))", place: TenantTabs.place(call, "Conversations"),
            crumbs: TenantTabs.crumbs(call, below: true) + [("Conversations", "\(path(call))/conversations")],
            actions: call.visitor.may(.conversationErase)
                ? a(.class("button"), .href("\(path(call))/conversations/\(RequestTarget.encode(call.name("id")))/erase")) {
                    "Erase"
                } : HTML(),
            blocks: [
                .fixed {
                    Parts.facts([
                        ("Began", clock.html(conversation.text("started_at"))),
                        ("Last message", clock.html(conversation.text("last_message_at"))),
                        ("Messages", HTML(text: Format.number(conversation.int("message_count") ?? 0))),
                        ("Channel", Format.written(conversation.text("channel") ?? "–")),
                    ])
                    if let failure = call.failure { FormBox.alert(failure) }
                },
                .live("transcript") { transcript(messages, call) },
            ])
    }

    private static func transcript(_ messages: PageCall.Listed, _ call: PageCall) -> HTML {
        HTML {
            ol(.class("transcript"), .label("Messages")) { for row in messages.rows { message(row, call) } }
            if let next = messages.next {
                nav(.class("pager"), .label("More messages")) {
                    a(.class("button"), .href(call.link([("cursor", next)]))) { "Next messages" }
                }
            }
        }
    }

    private static func message(_ row: JSONValue, _ call: PageCall) -> HTML {
        let role = row.text("role") ?? ""
        let isUser = role == "user"
        return li(.class("message \(isUser ? "message-user" : "message-bot")")) {
            p(.class("message-head")) {
                strong { isUser ? "Visitor" : role == "assistant" ? "Chatbot" : role.capitalizedFirst }
                if let user = row.text("user_id") { small { Format.written(user) } }
                call.visitor.clock.html(row.text("sent_at"))
                if let tokens = row.int("tokens_out"), !isUser {
                    small { Format.count(tokens + (row.int("tokens_in") ?? 0), "token") }
                }
            }
            p(.class("written"), Attribute("dir", "auto")) { Format.beginning(of: row.text("content") ?? "", most: 2_500) }
            if let rating = row.int("rating") {
                p(.class("rating")) {
                    Parts.badge(
                        rating > 0 ? "rated good" : rating < 0 ? "rated bad" : "rated",
                        rating > 0 ? .good : rating < 0 ? .bad : .calm)
                    if let comment = row.text("rating_comment") {
                        " "
                        Format.written(comment)
                    }
                }
            }
            if !isUser, call.visitor.may(.conversationFeedback) { ratingForm(row, call) }
        }
    }

    private static func ratingForm(_ row: JSONValue, _ call: PageCall) -> HTML {
        let id = row.text("id") ?? ""
        return form(.method("post"), .action(call.path), .class("rate")) {
            input(.type("hidden"), .name("message_id"), .value(id))
            for (value, name, sign) in [("1", "good", "👍"), ("-1", "bad", "👎")] {
                button(
                    .type("submit"), .name("rating"), .value(value), .class("plain"), .label("Rate message \(id) \(name)"),
                    row.int("rating") == Int64(value) ? Attribute("aria-pressed", "true") : nil
                ) { sign }
            }
        }
    }

    private static func rate(_ call: PageCall) async throws -> PageAnswer {
        let body: JSONValue = [
            "message_id": .string(call.form.raw("message_id") ?? ""),
            "rating": .int(call.form.raw("rating").flatMap { Int64($0) } ?? 0),
        ]
        let target = PageCall.target(["tenants", call.name("slug"), "conversations", call.name("id"), "feedback"])
        return try await call.send(.post, target, body).next(call.path, .rated)
    }

    // MARK: Erasing

    private static func erasing(_ call: PageCall) async throws -> Page {
        let conversation = try await call.get(PageCall.target(["tenants", call.name("slug"), "conversations", call.name("id")]))
        let box = FormBox(
            submit: "Erase it for good", isDangerous: true,
            command: Command.enqueue(
                .conversationErase, tenant: call.name("slug"), ["conversation_id": .string(call.name("id"))]),
            cancel: "\(path(call))/conversations/\(RequestTarget.encode(call.name("id")))")
        return TenantFormPages.page("Erase this conversation", call) {
            p {
                "Its \(Format.count(conversation.int("message_count") ?? 0, "message")) are gone then, and do not come back. What they count for on the bill stays."
            }
            box.html(call)
        }
    }

    private static func erase(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, PageCall.target(["tenants", call.name("slug"), "conversations", call.name("id")]))
            .next("\(path(call))/conversations", .erased)
    }

    private static func erasingUser(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: [
                .init(
                    name: "user_id", label: "Visitor", hint: "The user_id under which messages were logged.",
                    value: call["user_id"] ?? "", isRequired: true)
            ], submit: "Erase all of it", isDangerous: true,
            command: Command.enqueue(.conversationErase, tenant: call.name("slug"), ["user_id": "visitor-1"]),
            cancel: "\(path(call))/conversations")
        return TenantFormPages.page("Erase a visitor", call) {
            p { "All that this visitor has said, and what was answered, is gone then and does not come back." }
            box.html(call)
        }
    }

    private static func eraseUser(_ call: PageCall) async throws -> PageAnswer {
        guard let user = call.form["user_id"] else { throw LocalAPI.Failure.field("user_id", "Say whose.") }
        return try await call.send(
            .delete, PageCall.target(["tenants", call.name("slug"), "conversations"], [("user_id", user)])
        )
        .next("\(path(call))/conversations", .erased)
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
