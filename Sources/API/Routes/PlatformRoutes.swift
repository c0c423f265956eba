internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Logging
internal import NIOCore

/// What operators see and do: queues, workers, dead letters.
enum PlatformRoutes {
    static let all: [Route] = [
        queues, workers, letters, letterCounts, letter,
        settle("replay", "Sends dead jobs again, each as the key that it first came from."),
        settle("discard", "Removes dead letters for good."),
    ]

    private static let queues = Route.read(
        "/v1/queues", .reading(.queues), schema: QueueReading.representation.schema, "The fleet's queues.", isList: true
    ) { call in
        let rows = try await call.services.platform.queues()
        return .list(
            Listing(
                rows: rows.map { QueueReading.representation.json($0) },
                columns: QueueReading.representation.members.map(\.name), next: nil))
    }

    private static let workers = Route.read(
        "/v1/workers", .reading(.workers), schema: WorkerStatus.representation.schema,
        "The workers that were heard of in the last 30 seconds.", isList: true
    ) { call in
        let rows = try await call.database { database, _ in try WorkerStatus.list(on: &database) }
        return .list(
            Listing(
                rows: rows.map { WorkerStatus.representation.json($0) },
                columns: WorkerStatus.representation.members.map(\.name), next: nil))
    }

    private static let letters = Route.list(
        "/v1/dead", .deadLetters, of: DeadLetterRecord.self, "Dead letters, newest first.",
        filters: [
            .text("job_id", "The job's id.", example: "log-1"),
            .text("kind", "The job's kind.", example: "tenant.create"),
            .text("code", "Why it was given up.", example: "limit_reached"),
            .text("tenant", "The tenant's slug.", example: "acme-shop"),
        ]
    ) { call, page in
        let filter = DeadLetterRecord.Filter(
            jobIDs: try call.query.text("job_id").map { [$0] } ?? [], kind: try call.query.text("kind"),
            code: try call.query.text("code"), tenant: try call.query.text("tenant"))
        return { try DeadLetterRecord.page(filter, after: page.after, limit: page.limit, on: &$0) }
    }

    /// By what letters are counted.
    enum LetterGroup: String, ClosedWord {
        case code, kind, account, tenant, key

        var group: DeadLetterRecord.Group {
            switch self {
            case .code: .code
            case .kind: .kind
            case .account: .account
            case .tenant: .tenant
            case .key: .key
            }
        }
    }

    private static let letterCounts = Route.read(
        "/v1/dead/counts", .reading(.deadLetters),
        schema: [
            "type": "object", "required": ["letters"],
            "properties": .object(
                Dictionary(uniqueKeysWithValues: LetterGroup.allCases.map { ($0.rawValue, ["type": "string"]) })
                    .merging(["letters": ["type": ["integer", "string"]]]) { $1 }),
        ], "How many dead letters there are, by code and kind or otherwise, most first.",
        query: [
            QueryParameter.word("by", LetterGroup.self, "`code` and `kind` if not said; may be repeated.").repeated,
            .text("kind", "The job's kind.", example: "tenant.create"),
            .text("code", "Why it was given up.", example: "limit_reached"),
            .text("tenant", "The tenant's slug.", example: "acme-shop"),
        ], isList: true
    ) { call in
        var groups = try call.query.all("by").map { text throws(Problem) in
            guard let group = LetterGroup(rawValue: text) else { throw .parameter("by", "must be one of \(LetterGroup.words)") }
            return group
        }
        if groups.isEmpty { groups = [.code, .kind] }
        let filter = DeadLetterRecord.Filter(
            kind: try call.query.text("kind"), code: try call.query.text("code"), tenant: try call.query.text("tenant"))
        let asked = Set(groups.map(\.group))
        let counts = try await call.database { database, _ in try DeadLetterRecord.count(filter, by: asked, on: &database) }
        let rows = counts.prefix(1_000).map { count in
            JSONValue.object(
                Dictionary(uniqueKeysWithValues: count.values.map { ($0.key.rawValue, .string($0.value)) })
                    .merging(["letters": .number(count.letters)]) { $1 })
        }
        let columns = LetterGroup.allCases.filter { asked.contains($0.group) }.map(\.rawValue) + ["letters"]
        return .list(Listing(rows: rows, columns: columns, next: nil))
    }

    private static let letter = Route.read(
        "/v1/dead/{letter}", .reading(.deadLetters), schema: letterSchema,
        "A dead letter with its headers and payload; no secret is in it."
    ) { call in
        let id = call.name("letter").lowercased()
        guard let record = try await call.database({ database, _ in try DeadLetterRecord.find(id, on: &database) }) else {
            throw Problem.notFound("there is no dead letter \(call.name("letter"))")
        }
        let content = try await call.services.platform.letter(id)
        guard case .object(var members) = DeadLetterRecord.representation.json(record) else { return .json(.ok, .null) }
        members["headers"] = content.map { .object($0.headers.mapValues { .string($0) }) } ?? .null
        members["reply_to"] = content?.replyTo.map { .string($0) } ?? .null
        members["payload"] = content.map { .string($0.payload) } ?? .null
        members["payload_truncated"] = .bool(content?.isCut ?? false)
        return .json(.ok, .object(members))
    }

    private static let letterSchema: JSONValue = DeadLetterRecord.representation.adding {
        Representation.Member("headers", schema: ["type": ["object", "null"]]) { _ in .null }
        Representation.Member("reply_to", schema: ["type": ["string", "null"]]) { _ in .null }
        Representation.Member(
            "payload",
            schema: ["type": ["string", "null"], "description": "64 KiB at most; null: it was not found in the queue."]
        ) { _ in .null }
        Representation.Member("payload_truncated", schema: ["type": "boolean"]) { _ in .null }
    }.schema

    /// Does something with the letters that a filter means, or says how many they are.
    private static func settle(_ deed: String, _ summary: String) -> Route {
        Route(
            method: .post, path: PathPattern("/v1/dead/\(deed)"), summary: summary, right: .reading(.deadLetters),
            query: [.boolean("dry_run", "Only says how many letters it would be.")],
            body: .json(
                [
                    "type": "object", "required": ["filter"],
                    "properties": [
                        "filter": [
                            "type": "object", "description": "Which letters; an empty one is all of them.",
                            "properties": [
                                "job_id": ["type": ["string", "null"]], "kind": ["type": ["string", "null"]],
                                "code": ["type": ["string", "null"]], "tenant": ["type": ["string", "null"]],
                            ],
                        ],
                        "expect": ["type": ["integer", "null"], "minimum": 0, "description": "How many letters it must be."],
                    ],
                ], example: ["filter": ["code": "limit_reached", "tenant": "acme-shop"], "expect": 0]),
            success: Route.Success(
                status: .ok,
                schema: [
                    "type": "object",
                    "properties": [
                        "matching": ["type": "integer"], "done": ["type": "integer"],
                        "left": ["type": "array", "items": ["type": "string"]],
                    ],
                ])
        ) { call in
            let members = try PayloadDecoder.members(of: Array(call.body.readableBytesView))
            let filter = try filter(members["filter"])
            let ids = try await call.database { database, _ in try DeadLetterRecord.ids(filter, on: &database) }
            let matching = JSONValue.int(Int64(ids.count))
            if try call.query.boolean("dry_run") == true { return .json(.ok, ["matching": matching]) }
            if let expected = members["expect"], expected != .null, expected != matching {
                throw Problem(Rejection(.conflict, "\(ids.count) letters match", field: "/expect"))
            }
            let key = try call.caller.principal.key
            try await call.database { database, _ in
                try AccessRecord.write(
                    deed == "replay" ? .replay : .discard, of: nil, by: .credential(key),
                    details: ["filter": members["filter"] ?? .null, "letters": matching], on: &database)
            }
            let outcome = try await call.services.platform.settle(ids, deed == "replay" ? .replay : .discard)
            do {
                try await call.database { database, _ in
                    try DeadLetterRecord.forget(outcome.done, as: key, on: &database)
                }
            } catch {
                // The letters are gone all the same. The leader's duty takes their rows.
                call.services.logger.notice("rows of settled letters are taken later", metadata: ["error": "\(error)"])
            }
            return .json(
                .ok,
                [
                    "matching": matching, "done": .int(Int64(outcome.done.count)),
                    "left": .array(outcome.left.prefix(100).map { .string($0) }),
                ])
        }
    }

    private static func filter(_ value: JSONValue?) throws(Rejection) -> DeadLetterRecord.Filter {
        guard case .object(let members)? = value else { throw .invalid("/filter", "must be an object") }
        var texts: [String: String] = [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where value != .null {
            guard ["job_id", "kind", "code", "tenant"].contains(name) else {
                throw .invalid("/filter/\(name)", "is no filter: there are job_id, kind, code and tenant")
            }
            guard case .string(let text) = value else { throw .invalid("/filter/\(name)", "must be a string") }
            texts[name] = text
        }
        return DeadLetterRecord.Filter(
            jobIDs: texts["job_id"].map { [$0] } ?? [], kind: texts["kind"], code: texts["code"], tenant: texts["tenant"])
    }
}

extension QueueReading {
    static let representation = Representation<QueueReading> {
        Representation.Member.text("name", \.name)
        Representation.Member.number("messages", \.messages)
        Representation.Member.number("consumers", \.consumers)
    }
}

extension DeadLetterRecord: ListedRow {}
