internal import API
internal import Contract
internal import HTML
internal import HTTPTypes

/// Settings and documents that chatbots begin with.
enum TemplatePages {
    static let all: [PageRoute] = [
        PageRoute("/templates", sources: { [.init("templates", $0.target(["templates"], passing: ["cursor", "limit"]))] }, list),
        PageRoute("/templates/new", mostBodyBytes: 4 << 20, new, act: save),
        PageRoute("/templates/{name}", sources: { [.init("template", PageCall.target(["templates", $0.name("name")]))] }, one),
        PageRoute("/templates/{name}/remove", removing, act: remove),
    ]

    private static func list(_ call: PageCall) async throws -> Page {
        let list = try await call.list(call.target(["templates"], passing: ["cursor", "limit"]))
        let templates = DataTable(
            caption: "Templates",
            columns: [
                .init("Template", key: "name") { row in
                    a(.href("/templates/\(RequestTarget.encode(row.text("name") ?? ""))")) {
                        Format.written(row.text("name") ?? "")
                    }
                },
                .init("Settings", key: "setting_count", isNumber: true) {
                    HTML(text: Format.number($0.int("setting_count") ?? 0))
                },
                .init("Documents", key: "document_count", isNumber: true) {
                    HTML(text: Format.number($0.int("document_count") ?? 0))
                },
                .init("Passages", key: "chunk_count", isNumber: true) { HTML(text: Format.number($0.int("chunk_count") ?? 0)) },
                .init("Size", key: "content_bytes", isNumber: true) { HTML(text: Format.bytes($0.int("content_bytes") ?? 0)) },
                .init("Changed", key: "updated_at") { row in call.visitor.clock.html(row.text("updated_at")) },
            ], list: list,
            empty: Parts.empty(
                "No template yet.", "What your chatbots have in common: save it once, and each new one begins with it."))
        return Page(
            title: "Templates", place: "templates",
            actions: call.visitor.may(.templateSave)
                ? a(.class("button button-primary"), .href("/templates/new")) { "New template" } : HTML(),
            blocks: [.live("templates") { templates.html(call) }])
    }

    private static func one(_ call: PageCall) async throws -> Page {
        let template = try await call.get(PageCall.target(["templates", call.name("name")]))
        let documents = DataTable(
            caption: "Documents",
            columns: [
                .init("Title", key: "title") { Format.written($0.text("title") ?? "") },
                .init("Id", key: "external_id") { row in code { Format.written(row.text("external_id") ?? "") } },
                .init("Kind", key: "media_type") { Format.written($0.text("media_type") ?? "") },
                .init("Language", key: "language") { Format.written($0.text("language") ?? "–") },
                .init("Passages", key: "chunk_count", isNumber: true) { HTML(text: Format.number($0.int("chunk_count") ?? 0)) },
            ], list: PageCall.Listed(rows: template.items("documents"), next: nil), empty: Parts.empty("It has no documents."),
            isPaged: false)
        let path = "/templates/\(RequestTarget.encode(call.name("name")))"
        return Page(
            title: template.text("name") ?? "", place: "templates", crumbs: [("Templates", "/templates")],
            actions: HTML {
                if call.visitor.may(.templateSave) {
                    a(.class("button"), .href("/templates/new?from=\(RequestTarget.encode(call.name("name")))")) { "Change" }
                }
                if call.visitor.may(.templateRemove) { a(.class("button"), .href("\(path)/remove")) { "Remove" } }
            },
            blocks: [
                .fixed {
                    Parts.panel("Settings") { Parts.source((template["settings"] ?? .object([:])).indented, "Settings") }
                    Parts.panel("Documents") { documents.html(call) }
                }
            ])
    }

    private static let example = """
        [
          {"external_id": "returns", "title": "Returns", "media_type": "text/markdown", "content": "# Returns\\nWithin 14 days."}
        ]
        """

    private static func new(_ call: PageCall) async throws -> Page {
        var settings = "{}"
        if let name = call["from"], let template = try await call.find(PageCall.target(["templates", name])) {
            settings = (template["settings"] ?? .object([:])).indented
        }
        let box = FormBox(
            fields: [
                .init(
                    name: "name", label: "Name", hint: "A template of this name is replaced by what stands here.",
                    value: call["from"] ?? "",
                    isRequired: true),
                .init(name: "settings", label: "Settings", control: .area(rows: 8), hint: "A JSON object.", value: settings),
                .init(
                    name: "documents", label: "Documents", control: .area(rows: 10),
                    hint:
                        "A JSON list of documents, as corpus.ingest takes them. Their content is not kept in a form that could be shown here again.",
                    value: call["from"] == nil ? example : "[]"),
            ], submit: "Save the template",
            command: Command.enqueue(.templateSave, ["name": "Shops", "settings": ["greeting": "Hello"]]),
            cancel: "/templates")
        return Page(
            title: call["from"] == nil ? "New template" : "Change the template", place: "templates",
            crumbs: [("Templates", "/templates")],
            blocks: [.fixed(section(.class("panel")) { box.html(call) })], hasFiles: false)
    }

    private static func save(_ call: PageCall) async throws -> PageAnswer {
        var body: [String: JSONValue] = ["name": .string(call.form["name"] ?? "")]
        if let settings = try JSONField.object("settings", call.form) { body["settings"] = settings }
        if let text = call.form["documents"] {
            guard case .array(let documents)? = try? JSONValue(parsing: Array(text.utf8)) else {
                throw LocalAPI.Failure.field("documents", "Must be a JSON list: [ … ].")
            }
            if !documents.isEmpty { body["documents"] = .array(documents) }
        }
        let sent = try await call.send(.post, "/v1/templates", .object(body))
        return sent.next("/templates/\(RequestTarget.encode(call.form["name"] ?? ""))", .saved)
    }

    private static func removing(_ call: PageCall) async throws -> Page {
        let name = call.name("name")
        let box = FormBox(
            submit: "Remove it", isDangerous: true, command: Command.enqueue(.templateRemove, ["name": .string(name)]),
            cancel: "/templates")
        return Page(
            title: "Remove \(name)", place: "templates", crumbs: [("Templates", "/templates")],
            blocks: [
                .fixed(
                    section(.class("panel")) {
                        p { "Chatbots that it was applied to keep what they have." }
                        box.html(call)
                    })
            ], hasFiles: false)
    }

    private static func remove(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, PageCall.target(["templates", call.name("name")])).next("/templates", .removed)
    }
}
