internal import Contract
internal import Corpus
internal import Foundation
internal import HTTPTypes
internal import Jobs
internal import NIOCore
internal import Postgres

/// A tenant's corpus: its documents, and finding things in them.
enum CorpusRoutes {
    static let all: [Route] = [
        list,
        Route.job(
            .post, "/v1/tenants/{slug}/documents", .corpusIngest,
            "Adds documents or brings them up to date; with `rows=true`, one of each row of a CSV file.", many,
            query: [
                .boolean("rows", "The body is text/csv: title, content, and external_id, segment, priority, tags if wanted.")
            ],
            location: { call, _, _ in "/v1/tenants/\(call.name("slug"))/documents" }),
        find,
        Route.job(
            .post, "/v1/tenants/{slug}/documents/{external_id}", .corpusIngest,
            "Adds a document, or brings it up to date, from a file's bytes under its own media type.", file,
            query: [
                .text("title", "The external_id if not said.", example: "Opening hours"),
                .text("segment", "A part of the corpus.", example: "faq"),
                .text("tags", "Separated by commas.", example: "hours,shop"),
                .text("language", "Found out if not said.", example: "en"),
            ],
            location: { call, _, _ in
                "/v1/tenants/\(call.name("slug"))/documents/\(RequestTarget.encode(call.name("external_id")))"
            }),
        Route.job(
            .delete, "/v1/tenants/{slug}/documents/{external_id}", .corpusRemove, "Removes a document.",
            .none { ["external_ids": [.string($0.name("external_id"))]] }),
        search,
    ]

    private static let list = Route.list(
        "/v1/tenants/{slug}/documents", .documents, of: DocumentSummary.self, "A tenant's documents, by external_id.",
        filters: [
            .text("q", "A part of title or external_id.", example: "hours"),
            .text("segment", "The part of the corpus.", example: "faq"),
            .text("tag", "One of its tags.", example: "hours"),
            .word("state", DocumentState.self, "Whether it can be found."),
        ]
    ) { call, page in
        let schema = try call.tenant.schema
        let (part, segment, tag) = (try call.query.text("q"), try call.query.text("segment"), try call.query.text("tag"))
        let state = try call.query.word("state", DocumentState.self)?.rawValue
        return { database in
            database.touch(schema)
            return try DocumentSummary.page(
                in: schema, part: part, segment: segment, tag: tag, state: state, after: page.after, limit: page.limit,
                on: &database)
        }
    }

    enum DocumentState: String, ClosedWord {
        case ready, embedding, failed
    }

    private static let find = Route.item(
        "/v1/tenants/{slug}/documents/{external_id}", .documents, DocumentDetails.representation,
        "A document with the passages that it was cut into.", isTagged: true
    ) { call in
        let (schema, id) = (try call.tenant.schema, call.name("external_id"))
        return { database in
            database.touch(schema)
            return try DocumentDetails.find(id, in: schema, on: &database)
        }
    }

    // MARK: What is sent

    /// base64 makes four bytes of three, and they must fit into a job.
    private static let mostFileBytes = 12 << 20

    private static let many = PayloadSource(
        body: RequestBody(
            content: [
                .json(CorpusIngest.schema, example: CorpusIngest.exampleJSON),
                .texts(["text/csv"], example: "title,content,tags\r\nDelivery,\"On weekdays, until noon\",shipping\r\n"),
            ], mostBytes: Kind.corpusIngest.bodyLimitBytes)
    ) { call in
        let bytes = Array(call.body.readableBytesView)
        if try call.query.boolean("rows") == true {
            guard call.mediaType == "text/csv" else {
                throw Problem.unsupportedMediaType("with rows=true this path takes text/csv")
            }
            return (["documents": .array(try CSVDocuments.read(bytes))], nil)
        }
        if let type = call.mediaType, type != "application/json" {
            throw Problem.unsupportedMediaType(
                "this path takes application/json; a file goes to /v1/tenants/{slug}/documents/{external_id}, text/csv here with rows=true"
            )
        }
        return (try PayloadDecoder.members(of: bytes), bytes)
    }

    private static let file = PayloadSource(
        body: RequestBody(
            content: [.texts(MediaType.supported, example: "We open at nine in the morning, on Saturdays, too.")],
            mostBytes: mostFileBytes)
    ) { call in
        guard let type = call.mediaType else {
            throw Problem.unsupportedMediaType("the file's media type is missing: Content-Type")
        }
        var document: [String: JSONValue] = [
            "external_id": .string(call.name("external_id")),
            "title": .string(try call.query.text("title") ?? call.name("external_id")), "media_type": .string(type),
            "content_base64": .string(Data(call.body.readableBytesView).base64EncodedString()),
        ]
        if let segment = try call.query.text("segment") { document["segment"] = .string(segment) }
        if let language = try call.query.text("language") { document["language"] = .string(language) }
        if let tags = try call.query.text("tags") {
            document["tags"] = .array(tags.split(separator: ",").map { .string($0.trimmed) })
        }
        return (["documents": [.object(document)]], nil)
    }

    // MARK: Finding

    private static let search = Route(
        method: .post, path: PathPattern("/v1/tenants/{slug}/search"),
        summary: "Finds passages that answer a question, the best first.",
        right: .reading(.documents),
        body: .json(
            [
                "type": "object", "required": ["query"],
                "properties": [
                    "query": ["type": "string", "maxLength": 4_096],
                    "limit": ["type": ["integer", "null"], "minimum": 1, "maximum": 50],
                ],
            ], example: ["query": "When do you open?", "limit": 3], mostBytes: 64 << 10),
        success: Route.Success(
            status: .ok,
            schema: [
                "type": "object", "required": ["data", "mode"],
                "properties": [
                    "data": ["type": "array", "items": CorpusSearch.Hit.representation.schema],
                    "mode": ["type": "string", "enum": ["text"]],
                ],
            ])
    ) { call in
        let members = try PayloadDecoder.members(of: Array(call.body.readableBytesView))
        guard let query = members["query"]?.text, query.unicodeScalars.count <= 4_096 else {
            throw Rejection.invalid("/query", "must be a string of at most 4096 characters")
        }
        var limit = 10
        if let given = members["limit"], given != .null {
            guard case .int(let number) = given, (1...50).contains(number) else {
                throw Rejection.invalid("/limit", "must be 1 to 50")
            }
            limit = Int(number)
        }
        for name in ["filter", "mode"] where members[name, default: .null] != .null && members[name] != "text" {
            throw Problem.parameter(name, "is not there yet: the whole corpus is searched by its text")
        }
        let most = limit
        let (schema, slug, key) = (try call.tenant.schema, try call.tenant.slug, try call.caller.principal.key)
        let hits = try await call.database { database, _ in
            database.touch(schema)
            try AccessRecord.write(.search, of: slug, by: .credential(key), on: &database)
            return try CorpusSearch.hits(query, limit: most, in: schema, on: &database)
        }
        return .json(.ok, ["data": .array(hits.map { CorpusSearch.Hit.representation.json($0) }), "mode": "text"])
    }
}

extension DocumentSummary: ListedRow {}
