internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import NIOCore
internal import People

/// Making chatbots, and changing how they are.
enum TenantFormPages {
    static let all: [PageRoute] = [
        PageRoute("/tenants/new", new, act: create), PageRoute("/tenants/manifest", manifest, act: createMany),
        PageRoute("/tenants/{slug}/change", change, act: save),
        PageRoute("/tenants/{slug}/delete", delete, act: remove),
        PageRoute("/tenants/{slug}/apply-template", applying, act: apply),
        life(
            "suspend", .tenantSuspend, .suspended, "Suspend",
            "No job on it is taken until it is resumed: visitors get no answers that are logged. Its data stays."),
        life("resume", .tenantResume, .resumed, "Resume", "It takes jobs again from now on."),
        life("restore", .tenantRestore, .restored, "Restore", "It is as it was before it was archived, and takes jobs again."),
    ]

    private static func path(_ call: PageCall) -> String { "/tenants/\(RequestTarget.encode(call.name("slug")))" }

    static func page(_ title: String, _ call: PageCall, @HTML.Builder _ content: () -> HTML) -> Page {
        let isBelow = call.names["slug"] != nil
        return Page(
            title: title, place: isBelow ? TenantTabs.place(call, "Overview") : "tenants",
            crumbs: isBelow ? TenantTabs.crumbs(call, below: true) : [("Chatbots", "/tenants")],
            blocks: [.fixed(section(.class("panel")) { content() })], hasFiles: false)
    }

    // MARK: A new one

    private static func new(_ call: PageCall) async throws -> Page {
        async let plansAnswer = AccountPages.planNames(call)
        async let templatesAnswer = call.list("/v1/templates?limit=200").rows
        async let accountAnswer = call.list("/v1/accounts?limit=1").rows
        let (plans, templates, account) = try await (plansAnswer, templatesAnswer, accountAnswer)
        let prefix = account.first?.text("slug_prefix") ?? ""
        let fields: [FormBox.Field] = [
            .init(
                name: "tenant", label: "Short name",
                hint:
                    "2 to 40 of a to z, 0 to 9 and hyphens, a letter first\(prefix.isEmpty ? "" : ", beginning with \(prefix)"). It never changes.",
                value: prefix, isRequired: true,
                more: [
                    Attribute("data-slug", nil), Attribute("autocomplete", "off"), Attribute("spellcheck", "false"),
                    Attribute("maxlength", "40"),
                ]),
            .init(name: "display_name", label: "Name", isRequired: true),
            .init(
                name: "plan", label: "Plan", control: .select([("", "The account's (inherited)")] + plans.map { ($0, $0) }),
                hint: "A plan of its own counts beside the account's."),
            .init(
                name: "template", label: "Template",
                control: .select([("", "None")] + templates.compactMap { $0.text("name") }.map { ($0, $0) }),
                hint: "Settings and documents that it begins with."),
            .init(name: "environment", label: "Environment", hint: "Such as staging. Production if you say nothing."),
            .init(
                name: "settings", label: "Settings", control: .area(rows: 6), hint: "A JSON object, laid over the template's."),
        ]
        let box = FormBox(
            fields: fields, submit: "Create the chatbot",
            command: Command.enqueue(.tenantCreate, ["slug": "shop", "display_name": "Shop"]), cancel: "/tenants")
        return page("New chatbot", call) { box.html(call) }
    }

    private static func create(_ call: PageCall) async throws -> PageAnswer {
        guard let slug = call.form["tenant"] else { throw LocalAPI.Failure.field("tenant", "Say a short name.") }
        var body: [String: JSONValue] = ["slug": .string(slug)]
        for name in ["display_name", "plan", "template", "environment"] {
            if let text = call.form[name] { body[name] = .string(text) }
        }
        if let settings = try JSONField.object("settings", call.form) { body["settings"] = settings }
        do {
            return try await call.send(.post, "/v1/tenants", .object(body)).next(
                "/tenants/\(RequestTarget.encode(slug))", .created)
        } catch let failure as LocalAPI.Failure where failure.field == "/slug" || failure.code == "slug_taken" {
            throw LocalAPI.Failure(status: failure.status, code: failure.code, detail: failure.detail, field: "/tenant")
        }
    }

    // MARK: Many

    private static let manifestExample = """
        defaults:
          template: Shops
        tenants:
          - slug: north
            display_name: North
          - slug: south
            display_name: South
        """

    private static func manifest(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: [
                .init(
                    name: "manifest", label: "Manifest", control: .area(rows: 14),
                    hint: "YAML or JSON: up to 1,000 chatbots, and what they have in common. Each has an outcome of its own.",
                    value: manifestExample, isRequired: true)
            ], submit: "Create them", command: "tenantry tenant create-many manifest.yaml", cancel: "/tenants")
        return page("Chatbots from a manifest", call) { box.html(call) }
    }

    private static func createMany(_ call: PageCall) async throws -> PageAnswer {
        var request = LocalAPI.Request(.post, "/v1/tenants")
        request.headers[.contentType] = "application/yaml"
        request.body = ByteBuffer(string: call.form.raw("manifest") ?? "")
        let sent: PageCall.Sent
        do { sent = try await call.send(request) } catch let failure as LocalAPI.Failure {
            let place = failure.field.map { $0.isEmpty ? "" : " (at \($0))" } ?? ""
            throw LocalAPI.Failure(status: failure.status, code: failure.code, detail: failure.detail + place, field: "/manifest")
        }
        guard !sent.isPending, case .object = sent.result else { return sent.next("/tenants", .created) }
        let outcomes = sent.result.items("tenants").isEmpty ? sent.result.items("outcomes") : sent.result.items("tenants")
        let list = DataTable(
            caption: "Outcomes",
            columns: [
                .init("Chatbot") { Format.written($0.text("slug") ?? $0.text("tenant") ?? "") },
                .init("Outcome") { row in
                    Parts.badge(
                        row.text("outcome") ?? row.text("status") ?? "",
                        row["error"] == nil || row["error"] == .null ? .good : .bad)
                },
                .init("Why") { Format.written($0["error"]?.text("message") ?? "") },
            ], list: PageCall.Listed(rows: outcomes, next: nil), empty: Parts.empty("Nothing was said of them."), isPaged: false)
        let answer = Page(
            title: "What became of them", place: "tenants", crumbs: [("Chatbots", "/tenants")],
            blocks: [.fixed { list.html(call) }], hasFiles: false)
        return .page(answer)
    }

    // MARK: Changing one

    private static func change(_ call: PageCall) async throws -> Page {
        async let tenantAnswer = call.get(PageCall.target(["tenants", call.name("slug")]))
        async let plansAnswer = AccountPages.planNames(call)
        let (tenant, plans) = try await (tenantAnswer, plansAnswer)
        let box = FormBox(
            fields: [
                .init(name: "display_name", label: "Name", value: tenant.text("display_name") ?? "", isRequired: true),
                .init(
                    name: "plan", label: "Plan", control: .select([("", "The account's (inherited)")] + plans.map { ($0, $0) }),
                    value: tenant.text("plan") ?? ""),
                .init(name: "environment", label: "Environment", value: tenant.text("environment") ?? ""),
                .init(
                    name: "billing_mode", label: "Billing",
                    control: .select(TenantCreate.BillingMode.allCases.map { ($0.rawValue, $0.rawValue) }),
                    value: tenant.text("billing_mode") ?? ""),
            ], submit: "Save", command: Command.enqueue(.tenantUpdate, tenant: call.name("slug"), ["display_name": "Shop"]),
            cancel: path(call))
        return page("Change \(tenant.text("display_name") ?? "")", call) { box.html(call) }
    }

    private static func save(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = ["plan": call.form["plan"].map { .string($0) } ?? .null]
        for name in ["display_name", "environment", "billing_mode"] {
            if let text = call.form[name] { body[name] = .string(text) }
        }
        return try await call.send(.patch, PageCall.target(["tenants", call.name("slug")]), .object(body)).next(
            path(call), .saved)
    }

    /// A step of a chatbot's life that is asked about first.
    private static func life(_ deed: String, _ kind: Kind, _ notice: Notice, _ verb: String, _ meaning: String) -> PageRoute {
        PageRoute("/tenants/{slug}/\(deed)") { call in
            let tenant = try await call.get(PageCall.target(["tenants", call.name("slug")]))
            let box = FormBox(
                submit: "\(verb) \(call.name("slug"))", command: Command.enqueue(kind, tenant: call.name("slug")),
                cancel: path(call))
            return page("\(verb) \(tenant.text("display_name") ?? "")", call) {
                p { meaning }
                box.html(call)
            }
        } act: { call in
            try await call.send(.post, PageCall.target(["tenants", call.name("slug"), deed])).next(path(call), notice)
        }
    }

    // MARK: Deleting

    private static func delete(_ call: PageCall) async throws -> Page {
        let slug = call.name("slug")
        async let tenantAnswer = call.get(PageCall.target(["tenants", slug]))
        async let usageAnswer = call.find(PageCall.target(["tenants", slug, "usage"]))
        let (tenant, usage) = try await (tenantAnswer, usageAnswer)
        func value(_ metric: String) -> Int64 {
            usage?.items("metrics").first { $0.text("metric") == metric }?.int("value") ?? 0
        }
        let archive = FormBox(
            hidden: [("mode", "archive")], submit: "Archive \(slug)",
            command: Command.enqueue(.tenantDelete, tenant: slug, ["mode": "archive"]), id: "archive", cancel: path(call))
        let purge = FormBox(
            fields: [
                .init(
                    name: "confirm", label: "Type \(slug) to confirm", isRequired: true, more: [Attribute("autocomplete", "off")]),
                .proof(call.visitor),
            ], hidden: [("mode", "purge")], submit: "Purge for good", isDangerous: true,
            command: Command.enqueue(.tenantDelete, tenant: slug, ["mode": "purge"]), id: "purge")
        return Page(
            title: "Delete \(tenant.text("display_name") ?? slug)", place: TenantTabs.place(call, "Overview"),
            crumbs: TenantTabs.crumbs(call, below: true),
            blocks: [
                .fixed {
                    if tenant.text("state") != "archived" {
                        Parts.panel("Archive it") {
                            p { "It takes no jobs any more and can be restored, until it is purged after the retention time." }
                            archive.html(call)
                        }
                    }
                    section(.class("panel panel-danger")) {
                        h2 { "Purge it" }
                        p {
                            "At once and for good: "
                            strong {
                                "\(Format.count(value("documents"), "document")), all conversations with the \(Format.count(value("messages"), "message")) of this period and of those before, settings, tokens and administrators"
                            }
                            ". Invoices and the audit log stay."
                        }
                        purge.html(call)
                    }
                }
            ], hasFiles: false)
    }

    private static func remove(_ call: PageCall) async throws -> PageAnswer {
        let slug = call.name("slug")
        let target = PageCall.target(["tenants", slug], [("mode", call.form.raw("mode"))])
        guard call.form.raw("mode") == "purge" else { return try await call.send(.delete, target).next(path(call), .archived) }
        guard call.form["confirm"] == slug else { throw LocalAPI.Failure.field("confirm", "Type \(slug), as it stands.") }
        try await Proof.require(call)
        return try await call.send(.delete, target).next("/tenants", .purged)
    }

    // MARK: Templates

    private static func applying(_ call: PageCall) async throws -> Page {
        let templates = try await call.list("/v1/templates?limit=200").rows.compactMap { $0.text("name") }
        let box = FormBox(
            fields: [.init(name: "template", label: "Template", control: .select(templates.map { ($0, $0) }), isRequired: true)],
            submit: "Apply it",
            command: Command.enqueue(.templateApply, tenant: call.name("slug"), ["template": .string(templates.first ?? "")]),
            cancel: path(call))
        return page("Apply a template to \(call.name("slug"))", call) {
            if templates.isEmpty {
                Parts.empty("No template yet.", link: ("Templates", "/templates"))
            } else {
                p { "Its settings are laid over the chatbot's, and its documents are brought in; what it does not name stays." }
                box.html(call)
            }
        }
    }

    private static func apply(_ call: PageCall) async throws -> PageAnswer {
        let body: JSONValue = ["template": call.form["template"].map { .string($0) } ?? .null]
        return try await call.send(.post, PageCall.target(["tenants", call.name("slug"), "apply-template"]), body).next(
            path(call), .applied)
    }
}

/// A field in which JSON is typed.
enum JSONField {
    /// - Returns: nil where nothing was typed.
    static func object(_ name: String, _ form: FormData) throws -> JSONValue? {
        guard let text = form[name] else { return nil }
        do {
            return .object(try PayloadDecoder.members(of: Array(text.utf8)))
        } catch {
            throw LocalAPI.Failure.field(name, "This is no JSON object: \(error.message).")
        }
    }
}

/// What a session was opened with is asked for again before what cannot be undone.
enum Proof {
    static func require(_ call: PageCall) async throws {
        guard let proof = call.form.raw("proof"), !proof.isEmpty else {
            throw LocalAPI.Failure.field("proof", "Is needed for this.")
        }
        let (key, address) = (call.visitor.session.key, call.address)
        do {
            let isRight = try await call.site.api.passwords {
                try ConsoleSession.isProven(key, by: proof, from: address, on: &$0)
            }
            guard isRight else { throw LocalAPI.Failure.field("proof", "Is wrong.") }
        } catch SignIn.Refusal.throttled(let seconds) {
            throw LocalAPI.Failure(
                status: 429, code: "rate_limited", detail: "Too many wrong ones. Try again in \(seconds) seconds.")
        }
    }
}
