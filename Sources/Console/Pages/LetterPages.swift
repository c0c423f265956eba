internal import API
internal import Contract
internal import HTML
internal import Jobs

/// Dead letters: by cause, as a list, one, and what is done about them.
enum LetterPages {
    static let all: [PageRoute] = [
        PageRoute(
            "/dead", sources: { [.init("dead-letters", target($0)), .init("counts", counts($0))] }, show,
            act: { call in
                // What is ticked in the list.
                let ids = call.form.all("letter")
                guard !ids.isEmpty else { throw LocalAPI.Failure.field("letter", "Tick at least one letter.") }
                let deed = try deed(call)
                try await LetterRun.settle(ids, deed, ["letters": .array(ids.prefix(100).map { .string($0) })], call)
                return .redirect("/dead", deed == .replay ? .replayed : .discarded)
            }),
        PageRoute("/dead/all", confirm) { call in
            guard let expected = call.form["expect"].flatMap({ Int($0) }), let rate = call.form["rate"].flatMap({ Int($0) }),
                (1...10_000).contains(rate)
            else { throw LocalAPI.Failure.field("rate", "Say 1 to 10,000 letters a second.") }
            let filter = LetterFilter { call.form["filter-\($0)"] }
            let id = try await call.site.runs.start(filter, try deed(call), expected: expected, perSecond: rate, call)
            return .redirect("/dead/runs/\(id)", nil)
        },
        PageRoute("/dead/runs/{run}", run) { call in
            guard let run = call.site.runs.find(call.name("run"), of: call.visitor) else { throw notHere }
            run.stop()
            return .redirect(call.path, nil)
        },
        PageRoute(
            "/dead/letters/{letter}", sources: { [.init("letter", PageCall.target(["dead", $0.name("letter")]))] }, one,
            act: {
                call in
                let deed = try deed(call)
                try await LetterRun.settle([call.name("letter")], deed, ["letters": [.string(call.name("letter"))]], call)
                return .redirect("/dead", deed == .replay ? .replayed : .discarded)
            }),
    ]

    static let notHere = LocalAPI.Failure(status: 404, code: "not_found", detail: "")
    private static let filters = ["kind", "code", "tenant", "job_id"]

    private static func target(_ call: PageCall) -> String {
        call.target(["dead"], passing: filters + ["cursor", "limit"])
    }

    private static func counts(_ call: PageCall) -> String {
        call.target(["dead", "counts"], passing: ["kind", "code", "tenant"], [("by", "code"), ("by", "kind")])
    }

    private static func deed(_ call: PageCall) throws -> LetterDeed {
        switch call.form.raw("deed") {
        case "replay": .replay
        case "discard": .discard
        default: throw LocalAPI.Failure.field("deed", "Say whether they are to be sent again or discarded.")
        }
    }

    // MARK: The list

    private static func show(_ call: PageCall) async throws -> Page {
        async let listAnswer = call.list(target(call))
        async let countsAnswer = call.list(counts(call)).rows
        let (list, groups) = try await (listAnswer, countsAnswer)
        let total = groups.reduce(0) { $0 + ($1.int("letters") ?? 0) }
        return Page(
            title: "Dead letters", place: "dead", actions: actions(call, total),
            blocks: [
                .live("groups") { Parts.panel("By cause") { self.groups(groups, call) } },
                .fixed {
                    Parts.panel("Letters") {
                        FilterBar(filters: [
                            .init(name: "job_id", label: "Job id"), .init(name: "kind", label: "Kind"),
                            .init(name: "code", label: "Code"),
                            .init(name: "tenant", label: "Chatbot"),
                        ]).html(call)
                        letters(list, call)
                    }
                },
            ])
    }

    private static func actions(_ call: PageCall, _ total: Int64) -> HTML {
        guard call.visitor.maySettleLetters, total > 0 else { return HTML() }
        let query = LetterFilter { call[$0] }.query
        return HTML {
            a(.class("button button-primary"), .href("/dead/all?deed=replay\(query)")) { "Replay all that match" }
            a(.class("button"), .href("/dead/all?deed=discard\(query)")) { "Discard all that match" }
        }
    }

    private static func groups(_ rows: [JSONValue], _ call: PageCall) -> HTML {
        DataTable(
            caption: "Dead letters by code and kind",
            columns: [
                .init("Code", key: "code") { code in
                    a(.href("/dead?" + query(["code": code.text("code")]))) { Parts.badge(code.text("code") ?? "", .bad) }
                },
                .init("Kind", key: "kind") { row in
                    a(.href("/dead?" + query(["code": row.text("code"), "kind": row.text("kind")]))) {
                        Format.written(row.text("kind") ?? "")
                    }
                },
                .init("Letters", key: "letters", isNumber: true) { HTML(text: Format.number($0.int("letters") ?? 0)) },
            ], list: PageCall.Listed(rows: rows, next: nil),
            empty: Parts.empty("No dead letters.", "Jobs that are given up come here, with the reason. Nothing was given up."),
            isPaged: false
        ).html(call)
    }

    private static func query(_ values: [String: String?]) -> String {
        values.sorted { $0.key < $1.key }.compactMap { name, value in value.map { "\(name)=\(RequestTarget.encode($0))" } }
            .joined(separator: "&")
    }

    private static func letters(_ list: PageCall.Listed, _ call: PageCall) -> HTML {
        var columns: [DataTable.Column] = [
            .init("Given up", key: "failed_at") { row in
                a(.href("/dead/letters/\(RequestTarget.encode(row.text("id") ?? ""))")) {
                    call.visitor.clock.html(row.text("failed_at"))
                }
            },
            .init("Code", key: "code") { Parts.badge($0.text("code") ?? "", .bad) },
            .init("Kind", key: "kind") { Format.written($0.text("kind") ?? "") },
            .init("Chatbot", key: "tenant") { Format.written($0.text("tenant") ?? "–") },
            .init("Why") { Format.written(String(($0.text("message") ?? "").prefix(160))) },
            .init("Attempts", key: "attempts", isNumber: true) { HTML(text: Format.number($0.int("attempts") ?? 0)) },
        ]
        let maySettle = call.visitor.maySettleLetters
        if maySettle {
            columns.insert(
                .init("Pick") { row in
                    input(
                        .type("checkbox"), .name("letter"), .value(row.text("id") ?? ""),
                        .label("Letter of job \(row.text("job_id") ?? "")"))
                }, at: 0)
        }
        let content = DataTable(
            caption: "Dead letters", columns: columns, list: list,
            empty: Parts.empty("No letter matches.", "Take a filter away, or be glad.")
        ).html(call)
        guard maySettle, !list.rows.isEmpty else { return content }
        return form(.method("post"), .action(call.link([])), .class("stack")) {
            if let failure = call.failure { FormBox.alert(failure) }
            content
            div(.class("buttons")) {
                button(.type("submit"), .name("deed"), .value("replay"), .class("button button-primary")) {
                    "Replay those picked"
                }
                button(.type("submit"), .name("deed"), .value("discard"), .class("button button-danger")) {
                    "Discard those picked"
                }
            }
        }
    }

    // MARK: One

    private static func one(_ call: PageCall) async throws -> Page {
        let letter = try await call.get(PageCall.target(["dead", call.name("letter")]))
        let id = letter.text("job_id") ?? ""
        var facts: [(String, HTML)] = [
            ("Code", Parts.badge(letter.text("code") ?? "", .bad)), ("Why", Format.written(letter.text("message") ?? "")),
            ("Kind", Format.written(letter.text("kind") ?? "")), ("Chatbot", Format.written(letter.text("tenant") ?? "–")),
            ("Account", Format.written(letter.text("account") ?? "–")), ("Credential", Format.written(letter.text("key") ?? "–")),
            ("Attempts", HTML(text: Format.number(letter.int("attempts") ?? 0))),
            ("Given up", call.visitor.clock.html(letter.text("failed_at"))),
            (
                "Can be replayed",
                HTML(
                    text: letter.flag("is_sealed")
                        ? "Yes, as the credential that it came with" : "Only with a credential of yours, by command")
            ),
        ]
        if let field = letter.text("field") { facts.insert(("Field", HTML { code { field } }), at: 2) }
        for (name, title) in [("first_cause", "First cause"), ("last_cause", "Last cause")] {
            if let cause = letter.text(name) { facts.append((title, Format.written(cause))) }
        }
        let redacted = letter.texts("redacted")
        if !redacted.isEmpty { facts.append(("Taken out of it", HTML { code { redacted.joined(separator: " ") } })) }
        return Page(
            title: "Letter of job \(id)", place: "dead", crumbs: [("Dead letters", "/dead")],
            blocks: [
                .fixed {
                    Parts.panel("Why it was given up") { Parts.facts(facts) }
                    if call.visitor.maySettleLetters { settleForm(call, id) }
                    Parts.panel("What was sent") { content(letter) }
                }
            ])
    }

    private static func settleForm(_ call: PageCall, _ id: String) -> HTML {
        form(.method("post"), .action(call.path), .class("panel")) {
            if let failure = call.failure { FormBox.alert(failure) }
            div(.class("buttons")) {
                button(.type("submit"), .name("deed"), .value("replay"), .class("button button-primary")) { "Replay it" }
                button(.type("submit"), .name("deed"), .value("discard"), .class("button button-danger")) {
                    "Discard it for good"
                }
            }
            Parts.command(Command.line(["tenantry", "dead", "replay", id]))
        }
    }

    private static func content(_ letter: JSONValue) -> HTML {
        HTML {
            if case .object(let headers)? = letter["headers"], !headers.isEmpty {
                h3 { "Headers" }
                Parts.facts(
                    headers.sorted { $0.key < $1.key }.map { ($0.key, Format.written($0.value.text ?? $0.value.indented)) })
            }
            h3 { "Payload" }
            if let payload = letter.text("payload") {
                Parts.source((try? JSONValue(parsing: Array(payload.utf8)))?.indented ?? payload, "The payload")
                if letter.flag("payload_truncated") { p(.class("hint")) { "It goes on: this is the beginning." } }
            } else {
                p { "The letter was not found in the queue: it may have been settled a moment ago." }
            }
        }
    }

    // MARK: All that match

    private static func confirm(_ call: PageCall) async throws -> Page {
        let deed = call["deed"] == "discard" ? LetterDeed.discard : .replay
        let filter = LetterFilter { call[$0] }
        let count = try await LetterRun.ids(filter, call).count
        let verb = deed == .replay ? "Replay" : "Discard"
        let box = FormBox(
            fields: [
                FormBox.Field(
                    name: "rate", label: "Letters a second", control: .text(type: "number"),
                    hint: "So many at most, so that what is replayed leaves room for what comes in.", value: "200",
                    isRequired: true,
                    more: [Attribute("min", "1"), Attribute("max", "10000")])
            ],
            hidden: [("deed", deed == .replay ? "replay" : "discard"), ("expect", "\(count)")]
                + LetterFilter.names.compactMap { name in filter[name].map { ("filter-\(name)", $0) } },
            submit: "\(verb) \(Format.count(Int64(count), "letter"))", isDangerous: deed == .discard,
            command: Command.line(["tenantry", "dead", deed == .replay ? "replay" : "discard"] + filter.options), cancel: "/dead")
        return Page(
            title: "\(verb) all that match", place: "dead", crumbs: [("Dead letters", "/dead")],
            blocks: [
                .fixed {
                    Parts.panel("\(Format.count(Int64(count), "letter")) match") {
                        p { Format.written(filter.description) }
                        if deed == .discard {
                            p { strong { "They are gone for good: their jobs are never done." } }
                        } else {
                            p {
                                "Each is sent again as the credential that it came with. Those whose cause is not mended come back."
                            }
                        }
                        if count > 0 { box.html(call) }
                    }
                }
            ], hasFiles: false)
    }

    private static func run(_ call: PageCall) async throws -> Page {
        guard let run = call.site.runs.find(call.name("run"), of: call.visitor) else { throw notHere }
        let state = run.state
        return Page(
            title: "\(run.deed == .replay ? "Replaying" : "Discarding") letters", place: "dead",
            crumbs: [("Dead letters", "/dead")],
            blocks: [
                .live("progress") {
                    Parts.panel(state.isOver ? "Done" : "Under way") {
                        progressElement(
                            .class("bar bar-good bar-wide"), Attribute("max", "\(max(state.total, 1))"),
                            .value("\(state.done + state.left.count)"), .label("Progress"))
                        p {
                            "\(Format.number(Int64(state.done))) of \(Format.count(Int64(state.total), "letter")), \(Format.number(Int64(state.left.count))) left where they are"
                        }
                        if let problem = state.problem { p(.class("error")) { Format.written(problem) } }
                        if !state.left.isEmpty {
                            details {
                                summaryElement { "Why some were left" }
                                ul { for reason in state.left.prefix(50) { li { Format.written(reason) } } }
                            }
                        }
                        if state.isOver {
                            p { a(.class("button"), .href("/dead")) { "Dead letters" } }
                        } else {
                            form(.method("post"), .action(call.path)) { button(.type("submit"), .class("button")) { "Stop" } }
                        }
                    }
                }
            ], hasFiles: false, refreshSeconds: state.isOver ? nil : 2)
    }
}
