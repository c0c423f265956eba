internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import People

/// Tokens, administrators and sessions: of an account, or of one chatbot.
enum PeoplePages {
    static let all: [PageRoute] =
        routes(under: "") + routes(under: "/tenants/{slug}") + [
            PageRoute(
                "/sessions", sources: { [.init("sessions", $0.target(["sessions"], passing: ["cursor", "limit"]))] }, sessions,
                act: { call in
                    guard let key = call.form["key"] else { throw LocalAPI.Failure.field("key", "Say which.") }
                    _ = try await call.send(.delete, PageCall.target(["sessions", key]))
                    return .redirect("/sessions", .ended)
                })
        ]

    private static func routes(under base: String) -> [PageRoute] {
        [
            PageRoute("\(base)/tokens", sources: { [.init("tokens", target("tokens", $0))] }, tokens),
            PageRoute("\(base)/tokens/new", newToken, act: issue),
            PageRoute("\(base)/tokens/{key}/revoke", revoking, act: revoke),
            PageRoute("\(base)/admins", sources: { [.init("admins", target("admins", $0))] }, admins),
            PageRoute("\(base)/admins/new", newAdmin, act: makeAdmin),
            PageRoute("\(base)/admins/{email}/remove", removing, act: remove),
        ]
    }

    /// The API's path of a list: below the chatbot whose pages these are.
    private static func parts(_ call: PageCall) -> [String] { call.names["slug"].map { ["tenants", $0] } ?? [] }

    private static func target(_ list: String, _ call: PageCall) -> String {
        call.target(parts(call) + [list], passing: ["cursor", "limit"])
    }

    private static func path(_ call: PageCall) -> String {
        call.names["slug"].map { "/tenants/\(RequestTarget.encode($0))" } ?? ""
    }

    private static func frame(_ title: String, _ list: String, _ call: PageCall, actions: HTML = HTML(), _ block: Page.Block)
        -> Page
    {
        let slug = call.names["slug"]
        let name = list == "tokens" ? "Tokens" : "Administrators"
        return Page(
            title: title, place: slug == nil ? list : TenantTabs.place(call, name),
            crumbs: slug == nil ? [] : TenantTabs.crumbs(call, below: true),
            actions: actions, tabs: slug.map { TenantTabs.all($0, call.visitor) } ?? [], blocks: [block])
    }

    private static func formPage(_ title: String, _ list: String, _ call: PageCall, @HTML.Builder _ content: () -> HTML) -> Page {
        let name = list == "tokens" ? "Tokens" : "Administrators"
        let above = call.names["slug"] == nil ? [] : TenantTabs.crumbs(call, below: true)
        return Page(
            title: title, place: call.names["slug"] == nil ? list : TenantTabs.place(call, name),
            crumbs: above + [(name, "\(path(call))/\(list)")],
            blocks: [.fixed(section(.class("panel")) { content() })], hasFiles: false)
    }

    // MARK: Tokens

    private static func tokens(_ call: PageCall) async throws -> Page {
        let list = try await call.list(target("tokens", call))
        let clock = call.visitor.clock
        let tokens = DataTable(
            caption: "Tokens",
            columns: [
                .init("Name", key: "name") { Format.written($0.text("name") ?? "") },
                .init("Key", key: "key") { row in code { row.text("key") ?? "" } },
                .init("Scopes") { row in for scope in row.texts("scopes") { span(.class("tag")) { scope } } },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "all") },
                .init("Last used", key: "last_used_at") { row in clock.html(row.text("last_used_at")) },
                .init("Ends", key: "expires_at") { row in
                    HTML(text: row.text("expires_at") == nil ? "never" : clock.day(row.text("expires_at")))
                },
                .init("State") { row in
                    if row.text("revoked_at") != nil {
                        Parts.badge("revoked", .calm)
                    } else if call.visitor.may(.tokenRevoke) {
                        a(.class("button"), .href("\(path(call))/tokens/\(RequestTarget.encode(row.text("key") ?? ""))/revoke")) {
                            "Revoke"
                        }
                    } else {
                        Parts.badge("active")
                    }
                },
            ], list: list,
            empty: Parts.empty("No token yet.", "A token lets a program log conversations, or bring documents, and nothing else.")
        )
        return frame(
            "Tokens", "tokens", call,
            actions: HTML {
                if call.visitor.may(.tokenIssue) {
                    a(.class("button button-primary"), .href("\(path(call))/tokens/new")) { "New token" }
                }
                if call.visitor.may(.accountRotate), let account = call.visitor.account {
                    a(.class("button"), .href("/accounts/\(RequestTarget.encode(account))/rotate")) {
                        "Rotate the account's credential"
                    }
                }
            },
            .live("tokens") { tokens.html(call) })
    }

    private static func newToken(_ call: PageCall) async throws -> Page {
        let scopes = Scope.allCases.map(\.rawValue)
        let box = FormBox(
            fields: [
                .init(name: "name", label: "Name", hint: "What it is for: the website, the importer.", isRequired: true),
                .init(
                    name: "scopes", label: "What it may", control: .checks(scopes.map { ($0, $0) }),
                    hint: "Writing does not include reading.", values: ["conversation:write"]),
                .init(
                    name: "expires_at", label: "Last day", control: .text(type: "date"), hint: "It never ends if you say nothing."
                ),
            ], submit: "Issue the token",
            command: Command.enqueue(
                .tokenIssue, tenant: call.names["slug"], ["name": "website", "scopes": ["conversation:write"]]),
            cancel: "\(path(call))/tokens")
        return formPage("New token", "tokens", call) { box.html(call) }
    }

    private static func issue(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = [
            "name": .string(call.form["name"] ?? ""), "scopes": .array(call.form.all("scopes").map { .string($0) }),
        ]
        // The last day is in it.
        if let day = call.form["expires_at"] { body["expires_at"] = .string(call.visitor.clock.begin(of: day, plus: 1) ?? day) }
        let sent = try await call.send(.post, PageCall.target(parts(call) + ["tokens"]), .object(body))
        guard let key = sent.result.text("key"), let secret = sent.result.text("secret") else {
            return sent.next("\(path(call))/tokens", .created)
        }
        let page = formPage("Token issued", "tokens", call) {
            Parts.secret("\(key).\(secret)", "the token")
            p { a(.class("button"), .href("\(path(call))/tokens")) { "To the tokens" } }
        }
        return .page(page, status: 201)
    }

    private static func revoking(_ call: PageCall) async throws -> Page {
        let key = call.name("key")
        let box = FormBox(
            submit: "Revoke it", isDangerous: true, command: Command.enqueue(.tokenRevoke, ["key": .string(key)]),
            cancel: "\(path(call))/tokens")
        return formPage("Revoke \(key)", "tokens", call) {
            p { "Whoever uses it is refused from then on, and so are the tokens that were issued by it." }
            box.html(call)
        }
    }

    private static func revoke(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, PageCall.target(parts(call) + ["tokens", call.name("key")])).next(
            "\(path(call))/tokens", .revoked)
    }

    // MARK: Administrators

    private static func admins(_ call: PageCall) async throws -> Page {
        let list = try await call.list(target("admins", call))
        let admins = DataTable(
            caption: "Administrators",
            columns: [
                .init("E-mail address", key: "email") { Format.written($0.text("email") ?? "") },
                .init("Name", key: "display_name") { Format.written($0.text("display_name") ?? "") },
                .init("Role", key: "role") { HTML(text: $0.text("role") == "tenant_admin" ? "one chatbot's" : "the account's") },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "all") },
                .init("Signs in") { HTML(text: $0.flag("has_password") ? "by password" : "by credential") },
                .init("Since", key: "created_at") { row in HTML(text: call.visitor.clock.day(row.text("created_at"))) },
                .init("Remove") { row in
                    if call.visitor.may(.adminRemove) {
                        a(.class("button"), .href("\(path(call))/admins/\(RequestTarget.encode(row.text("email") ?? ""))/remove"))
                        { "Remove" }
                    }
                },
            ], list: list,
            empty: Parts.empty("No administrator yet.", "An administrator signs in here by e-mail address and password."))
        return frame(
            "Administrators", "admins", call,
            actions: call.visitor.may(.adminCreate)
                ? a(.class("button button-primary"), .href("\(path(call))/admins/new")) { "New administrator" } : HTML(),
            .live("admins") { admins.html(call) })
    }

    private static func newAdmin(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: [
                .init(
                    name: "email", label: "E-mail address", control: .text(type: "email"), isRequired: true,
                    more: [Attribute("autocomplete", "off")]),
                .init(name: "display_name", label: "Name", isRequired: true),
                .init(
                    name: "password", label: "First password", control: .text(type: "password"),
                    hint: "8 characters or more. Without one a credential is shown instead.",
                    more: [Attribute("autocomplete", "new-password")]),
            ], submit: "Make this person an administrator",
            command: Command.enqueue(
                .adminCreate, tenant: call.names["slug"],
                ["email": "ada@example.com", "display_name": "Ada", "role": .string(role(call))]),
            cancel: "\(path(call))/admins")
        return formPage("New administrator", "admins", call) { box.html(call) }
    }

    private static func role(_ call: PageCall) -> String { call.names["slug"] == nil ? "account_admin" : "tenant_admin" }

    private static func makeAdmin(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = ["role": .string(role(call))]
        for name in ["email", "display_name"] { body[name] = .string(call.form[name] ?? "") }
        if let password = call.form.raw("password"), !password.isEmpty { body["password"] = .string(password) }
        let sent = try await call.send(.post, PageCall.target(parts(call) + ["admins"]), .object(body))
        guard let key = sent.result.text("key"), let secret = sent.result.text("secret") else {
            return sent.next("\(path(call))/admins", .created)
        }
        let page = formPage("Administrator made", "admins", call) {
            p { "With this credential they act by program; it need not be kept where they sign in by password." }
            Parts.secret("\(key).\(secret)", "the credential")
            p { a(.class("button"), .href("\(path(call))/admins")) { "To the administrators" } }
        }
        return .page(page, status: 201)
    }

    private static func removing(_ call: PageCall) async throws -> Page {
        let email = call.name("email")
        let box = FormBox(
            submit: "Remove this person", isDangerous: true,
            command: Command.enqueue(.adminRemove, tenant: call.names["slug"], ["email": .string(email)]),
            cancel: "\(path(call))/admins")
        return formPage("Remove \(email)", "admins", call) {
            p { "Sessions and credentials of this person end, and so do tokens that were issued by them." }
            box.html(call)
        }
    }

    private static func remove(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, PageCall.target(parts(call) + ["admins", call.name("email")])).next(
            "\(path(call))/admins", .removed)
    }

    // MARK: Sessions

    private static func sessions(_ call: PageCall) async throws -> Page {
        let list = try await call.list(call.target(["sessions"], passing: ["cursor", "limit"]))
        let own = call.visitor.session.key
        let sessions = DataTable(
            caption: "Sessions",
            columns: [
                .init("Who", key: "email") { row in
                    Format.written(row.text("email") ?? "")
                    if row.text("key") == own { Parts.badge("this one", .good) }
                },
                .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "–") },
                .init("Since", key: "created_at") { row in call.visitor.clock.html(row.text("created_at")) },
                .init("Last used", key: "last_used_at") { row in call.visitor.clock.html(row.text("last_used_at")) },
                .init("Ends", key: "expires_at") { row in call.visitor.clock.html(row.text("expires_at")) },
                .init("End it") { row in
                    if row.text("key") != own, !call.visitor.isReadOnly {
                        form(.method("post"), .action("/sessions")) {
                            input(.type("hidden"), .name("key"), .value(row.text("key") ?? ""))
                            button(
                                .type("submit"), .class("button"),
                                .label("End the session of \(row.text("email") ?? "") \(row.text("key") ?? "")")
                            ) { "End it" }
                        }
                    }
                },
            ], list: list, empty: Parts.empty("No session."))
        return Page(
            title: "Sessions",
            blocks: [
                .fixed { if let failure = call.failure { FormBox.alert(failure) } }, .live("sessions") { sessions.html(call) },
            ])
    }
}
