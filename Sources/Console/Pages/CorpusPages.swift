internal import API
internal import Contract
internal import HTML
internal import HTTPTypes
internal import NIOCore

/// What a chatbot knows: its documents, and what it would find.
enum CorpusPages {
    static let all: [PageRoute] = [
        PageRoute("/tenants/{slug}/corpus", sources: { [.init("documents", target($0))] }, list),
        PageRoute("/tenants/{slug}/corpus/new", mostBodyBytes: 13 << 20, new, act: upload),
        PageRoute("/tenants/{slug}/documents/{id}", sources: { [.init("document", document($0))] }, one),
        PageRoute("/tenants/{slug}/documents/{id}/remove", removing, act: remove),
    ]

    private static let filters = ["q", "segment", "tag", "state"]

    private static func target(_ call: PageCall) -> String {
        call.target(["tenants", call.name("slug"), "documents"], passing: filters + ["cursor", "limit"])
    }

    private static func document(_ call: PageCall) -> String {
        PageCall.target(["tenants", call.name("slug"), "documents", call.name("id")])
    }

    private static func path(_ call: PageCall) -> String { "/tenants/\(RequestTarget.encode(call.name("slug")))" }

    // MARK: The list

    private static func list(_ call: PageCall) async throws -> Page {
        let slug = call.name("slug")
        let list = try await call.list(target(call))
        let found = try await ask(call)
        let documents = Page.Block.live("documents") { self.documents(list, call) }
        return Page(
            title: "Corpus", place: TenantTabs.place(call, "Corpus"), crumbs: TenantTabs.crumbs(call, below: true),
            actions: call.visitor.may(.corpusIngest)
                ? a(.class("button button-primary"), .href("\(path(call))/corpus/new")) { "Add a document" } : HTML(),
            tabs: TenantTabs.all(slug, call.visitor),
            blocks: [
                .fixed {
                    section(.class("panel ask")) {
                        h2 { "What would it find?" }
                        form(.method("get"), .action(call.path), .class("ask-form"), .role("search")) {
                            labelElement(.for("ask")) { "Ask as a visitor would" }
                            input(
                                .id("ask"), .name("ask"), .type("search"), .value(call["ask"] ?? ""),
                                Attribute("data-search", nil), Attribute("maxlength", "4096"))
                            button(.type("submit"), .class("button button-primary")) { "Ask" }
                        }
                        if let found { hits(found, call) }
                    }
                    FilterBar(filters: [
                        .init(name: "q", label: "Title or id"), .init(name: "segment", label: "Segment"),
                        .init(name: "tag", label: "Tag"),
                        .init(
                            name: "state", label: "State",
                            options: ["ready", "embedding", "failed"].map { ($0, $0) }),
                    ]).html(call)
                },
                // A question is put on record each time it is asked: a page that shows an answer does not follow live.
                call["ask"] == nil ? documents : .fixed(self.documents(list, call)),
            ])
    }

    private static func ask(_ call: PageCall) async throws -> JSONValue? {
        guard let question = call["ask"] else { return nil }
        let target = PageCall.target(["tenants", call.name("slug"), "search"])
        return try await call.send(.post, target, ["query": .string(question), "limit": 10]).result
    }

    private static func hits(_ found: JSONValue, _ call: PageCall) -> HTML {
        let hits = found.items("data")
        guard !hits.isEmpty else {
            return div(.class("empty")) { Parts.empty("It would find nothing.", "Add a document that answers this.") }
        }
        return ol(.class("hits"), .label("What it would find")) {
            for hit in hits {
                li {
                    p(.class("hit-title")) {
                        a(.href("\(path(call))/documents/\(RequestTarget.encode(hit.text("document") ?? ""))")) {
                            Format.written(hit.text("title") ?? hit.text("document") ?? "")
                        }
                        span(.class("score"), .title("Compares within one answer alone")) {
                            "score \(score(hit.real("score") ?? 0))"
                        }
                    }
                    if let heading = hit.text("heading"), !heading.isEmpty {
                        p(.class("hit-heading")) { Format.written(heading) }
                    }
                    p { excerpt(hit.text("excerpt") ?? "") }
                }
            }
        }
    }

    /// What matched stands between two asterisks on each side.
    private static func excerpt(_ text: String) -> HTML {
        var html = HTML()
        for (index, part) in text.split(separator: "**", omittingEmptySubsequences: false).enumerated() {
            html.append(index % 2 == 1 ? mark { Format.written(String(part)) } : Format.written(String(part)))
        }
        return html
    }

    private static func score(_ value: Double) -> String { "\((value * 1_000).rounded() / 1_000)" }

    private static func documents(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        DataTable(
            caption: "Documents",
            columns: [
                .init("Title", key: "title") { row in
                    a(.href("\(path(call))/documents/\(RequestTarget.encode(row.text("external_id") ?? ""))")) {
                        Format.written(row.text("title") ?? "")
                    }
                },
                .init("Id", key: "external_id") { row in code { Format.written(row.text("external_id") ?? "") } },
                .init("State", key: "state") { Parts.badge($0.text("state") ?? "") },
                .init("Passages", key: "chunk_count", isNumber: true) { HTML(text: Format.number($0.int("chunk_count") ?? 0)) },
                .init("Language", key: "language") { Format.written($0.text("language") ?? "–") },
                .init("Segment", key: "segment") { Format.written($0.text("segment") ?? "–") },
                .init("Tags", key: "tags") { row in for tag in row.texts("tags") { span(.class("tag")) { Format.written(tag) } }
                },
                .init("Kind", key: "media_type") { Format.written($0.text("media_type") ?? "") },
            ], list: list,
            empty: call.visitor.may(.corpusIngest)
                ? Parts.empty(
                    "No document here.", "A chatbot answers from its documents.",
                    link: ("Add a document", "\(path(call))/corpus/new"))
                : Parts.empty("No document here.")
        ).html(call)
    }

    // MARK: One

    private static let mostPassages = 40

    private static func one(_ call: PageCall) async throws -> Page {
        let value = try await call.get(document(call))
        let first = min(max(0, call["from"].flatMap { Int($0) } ?? 0), 1_000_000)
        return Page(
            title: value.text("title") ?? "", place: TenantTabs.place(call, "Corpus"),
            crumbs: TenantTabs.crumbs(call, below: true) + [("Corpus", "\(path(call))/corpus")],
            actions: call.visitor.may(.corpusRemove)
                ? a(.class("button"), .href("\(path(call))/documents/\(RequestTarget.encode(call.name("id")))/remove")) {
                    "Remove"
                } : HTML(),
            blocks: [
                .fixed {
                    Parts.panel("Document") {
                        Parts.facts([
                            ("Id", HTML { code { Format.written(value.text("external_id") ?? "") } }),
                            ("State", Parts.badge(value.text("state") ?? "")),
                            ("Kind", Format.written(value.text("media_type") ?? "")),
                            ("Language", Format.written(value.text("language") ?? "–")),
                            ("Segment", Format.written(value.text("segment") ?? "–")),
                            ("Priority", HTML(text: Format.number(value.int("priority") ?? 0))),
                            ("Tags", Format.written(value.texts("tags").joined(separator: ", "))),
                            ("Passages", HTML(text: Format.number(value.int("chunk_count") ?? 0))),
                        ])
                        if let error = value.text("error") { p(.class("error")) { Format.written(error) } }
                        if let metadata = value["metadata"], metadata != .null, metadata != .object([:]) {
                            Parts.source(metadata.indented, "Metadata")
                        }
                    }
                    Parts.panel("Passages") {
                        for chunk in value.items("chunks").dropFirst(first).prefix(mostPassages) {
                            div(.class("passage")) {
                                if let heading = chunk.text("heading"), !heading.isEmpty { h3 { Format.written(heading) } }
                                p(.class("written")) { Format.beginning(of: chunk.text("content") ?? "", most: 3_000) }
                            }
                        }
                        if value.items("chunks").count > first + mostPassages {
                            nav(.class("pager"), .label("More passages")) {
                                a(.class("button"), .href(call.link([("from", "\(first + mostPassages)")]))) { "Next passages" }
                            }
                        }
                    }
                }
            ])
    }

    private static func removing(_ call: PageCall) async throws -> Page {
        let value = try await call.get(document(call))
        let box = FormBox(
            submit: "Remove it", isDangerous: true,
            command: Command.enqueue(.corpusRemove, tenant: call.name("slug"), ["external_ids": [.string(call.name("id"))]]),
            cancel: "\(path(call))/corpus")
        return TenantFormPages.page("Remove \(value.text("title") ?? "")", call) {
            p {
                "The document and its \(Format.count(value.int("chunk_count") ?? 0, "passage")) are gone then; the chatbot finds them no more."
            }
            box.html(call)
        }
    }

    private static func remove(_ call: PageCall) async throws -> PageAnswer {
        try await call.send(.delete, document(call)).next("\(path(call))/corpus", .removed)
    }

    // MARK: A new one

    private static let mediaTypes = MediaType.supported

    private static func new(_ call: PageCall) async throws -> Page {
        let box = FormBox(
            fields: [
                .init(
                    name: "file", label: "File", control: .file,
                    hint: "Text, Markdown, HTML, CSV or JSON, 12 MB at most. It can be dropped here.",
                    more: [Attribute("data-drop", nil)]),
                .init(name: "content", label: "Or its text", control: .area(rows: 10)),
                .init(
                    name: "external_id", label: "Id",
                    hint: "Its name in your system: the same id brings a document up to date. The file's name if you say nothing."
                ),
                .init(name: "title", label: "Title"),
                .init(
                    name: "media_type", label: "Kind",
                    control: .select([("", "By the file's name")] + mediaTypes.map { ($0, $0) })),
                .init(name: "segment", label: "Segment"), .init(name: "tags", label: "Tags", hint: "Separated by commas."),
                .init(name: "language", label: "Language", hint: "Found out if you say nothing."),
            ], submit: "Add it", isMultipart: true,
            command: Command.enqueue(
                .corpusIngest, tenant: call.name("slug"),
                [
                    "documents": [
                        [
                            "external_id": "hours", "title": "Opening hours", "media_type": "text/plain",
                            "content": "We open at nine.",
                        ]
                    ]
                ]),
            cancel: "\(path(call))/corpus")
        return TenantFormPages.page("Add a document", call) { box.html(call) }
    }

    private static func upload(_ call: PageCall) async throws -> PageAnswer {
        let form = call.form
        let file = form.file.flatMap { $0.bytes.isEmpty ? nil : $0 }
        let text = form.raw("content") ?? ""
        guard file != nil || !text.trimmed.isEmpty else { throw LocalAPI.Failure.field("file", "Choose a file, or type a text.") }
        guard let id = form["external_id"] ?? file?.name ?? form["title"] else {
            throw LocalAPI.Failure.field("external_id", "Is needed where there is no file.")
        }
        let type = form["media_type"] ?? file.map { guessed($0) } ?? "text/plain"
        var request = LocalAPI.Request(
            .post,
            PageCall.target(
                ["tenants", call.name("slug"), "documents", id],
                [
                    ("title", form["title"] ?? file?.name), ("segment", form["segment"]), ("tags", form["tags"]),
                    ("language", form["language"]),
                ]))
        request.headers[.contentType] = type
        request.body = file.map { ByteBuffer(bytes: $0.bytes) } ?? ByteBuffer(string: text)
        let sent = try await call.send(request)
        if let outcome = sent.result.items("documents").first, let error = outcome["error"], error != .null {
            throw LocalAPI.Failure.field("file", error.text("message") ?? error.text ?? "It was refused.")
        }
        return sent.next("\(path(call))/corpus", .uploaded)
    }

    /// Browsers know few of the types, so that the name's ending counts first.
    private static func guessed(_ file: FormData.File) -> String {
        let ending = file.name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        let known = [
            "md": "text/markdown", "markdown": "text/markdown", "html": "text/html", "htm": "text/html", "csv": "text/csv",
            "json": "application/json", "txt": "text/plain",
        ]
        return known[ending] ?? file.mediaType
    }
}
