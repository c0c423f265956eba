internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Corpus

/// What is read of a corpus.
@Suite struct DocumentReadTests {
    private static let schema = try! Identifier("tenant_shop")

    private func ingest(_ stage: HandlerStage, _ acme: Principal, _ documents: [JSONValue]) throws {
        let body = String(decoding: JSONValue.object(["documents": .array(documents)]).serialised(), as: UTF8.self)
        let answer = try stage.ask("corpus.ingest", body, tenant: "shop", by: acme)
        guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
    }

    private func document(
        _ id: String, title: String = "Title", content: String = "# Opening\n\nNine to five.", _ more: [String: JSONValue] = [:]
    )
        -> JSONValue
    {
        let own: [String: JSONValue] = [
            "external_id": .string(id), "title": .string(title), "media_type": "text/markdown",
            "content": .string("\(content) (\(id))"),
        ]
        return .object(own.merging(more) { _, more in more })
    }

    private func onStage(_ body: (HandlerStage, Principal) throws -> Void) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme", plan: "enterprise-plus")
            try stage.makeTenant("shop", by: acme)
            try body(stage, acme)
        }
    }

    private func ids(_ stage: HandlerStage, part: String? = nil, segment: String? = nil, tag: String? = nil, state: String? = nil)
        throws
        -> [String]
    {
        try stage.withDatabase {
            try DocumentSummary.page(
                in: Self.schema, part: part, segment: segment, tag: tag, state: state, after: nil, limit: 50, on: &$0)
        }.map(\.externalID)
    }

    @Test("A document is shown with its chunks in the order of the text, and with what its producer said of it")
    func item() async throws {
        try await onStage { stage, acme in
            let more: [String: JSONValue] = [
                "language": "en", "segment": "b2b", "priority": 3, "tags": ["hours", "shop"], "metadata": ["source": ["page": 7]],
            ]
            try ingest(stage, acme, [document("hours", content: "# Opening\n\nNine to five.\n\n# Closing\n\nAt five.", more)])
            let found = try #require(try stage.withDatabase { try DocumentDetails.find("hours", in: Self.schema, on: &$0) })
            let json = DocumentDetails.representation.json(found)
            guard case .object(let members) = json, case .array(let chunks)? = members["chunks"] else {
                throw TestFailure("\(json)")
            }
            #expect(
                Set(members.keys) == [
                    "external_id", "title", "media_type", "language", "segment", "priority", "tags", "metadata", "state",
                    "chunk_count",
                    "chunks",
                ])
            #expect(json["tags"] == ["hours", "shop"] && json["metadata"] == ["source": ["page": 7]] && json["priority"] == 3)
            #expect(json["state"] == "ready" && json["chunk_count"] == .int(Int64(chunks.count)))
            #expect(chunks.first?["position"] == 0 && chunks.first?["heading"] == "Opening")
            #expect(try stage.withDatabase { try DocumentDetails.find("none", in: Self.schema, on: &$0) } == nil)
        }
    }

    @Test("Each filter lets through what it says, and a part of a name is taken as it stands")
    func filters() async throws {
        try await onStage { stage, acme in
            try ingest(
                stage, acme,
                [
                    document("a_1", title: "100% \"Wool\"", ["segment": "b2b"]), document("aX1", title: "1000 wool"),
                    document(#"b\c"#, title: "It's", ["tags": ["x", "y"]]),
                ])
            #expect(try ids(stage) == ["aX1", "a_1", #"b\c"#])
            #expect(try ids(stage, part: "0% \"w") == ["a_1"])
            #expect(try ids(stage, part: "A_1") == ["a_1"])
            #expect(try ids(stage, part: #"\"#) == [#"b\c"#])
            #expect(try ids(stage, part: "t's") == [#"b\c"#])
            #expect(try ids(stage, segment: "b2b") == ["a_1"])
            #expect(try ids(stage, tag: "y") == [#"b\c"#])
            #expect(try ids(stage, state: "ready").count == 3)
            #expect(try ids(stage, state: "embedding") == [])
        }
    }

    @Test("Pages stay right while documents come and go", arguments: [1, 2])
    func paging(limit: Int) async throws {
        try await onStage { stage, acme in
            try ingest(stage, acme, ["b", "c", "d", "e"].map { document($0) })
            var isChanged = false
            let seen: [DocumentSummary] = try pages(of: limit, position: \.position) { rows in
                guard !isChanged, rows.count == 2 else { return }
                isChanged = true
                try ingest(stage, acme, [document("a"), document("ca")])
                _ = try stage.ask("corpus.remove", #"{"external_ids":["c","d"]}"#, tenant: "shop", by: acme)
            } page: { position, limit in
                try stage.withDatabase { try DocumentSummary.page(in: Self.schema, after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.externalID) == ["b", "c", "ca", "e"])
        }
    }

    @Test("A document's entity tag changes with its text and with what is said of it")
    func etag() async throws {
        try await onStage { stage, acme in
            func tag() throws -> String? {
                try stage.withDatabase { try DocumentDetails.currentETag("hours", in: Self.schema, on: &$0) }
            }
            #expect(try tag() == nil)
            try ingest(stage, acme, [document("hours")])
            let first = try #require(try tag())
            try ingest(stage, acme, [document("hours")])
            #expect(try tag() == first)
            try ingest(stage, acme, [document("hours", ["tags": ["new"]])])
            let second = try #require(try tag())
            try ingest(stage, acme, [document("hours", content: "Ten to six.", ["tags": ["new"]])])
            #expect(Set([first, second, try #require(try tag())]).count == 3)
        }
    }

    @Test("A search shows document, title, heading, excerpt, score and position; no query is an error")
    func search() async throws {
        try await onStage { stage, acme in
            try ingest(
                stage, acme,
                [
                    document("hours", content: "# Opening\n\nThe shop opens at nine."),
                    document("other", content: "Nothing of it."),
                ])
            func hits(_ query: String) throws -> [CorpusSearch.Hit] {
                try stage.withDatabase { try CorpusSearch.hits(query, limit: 10, in: Self.schema, on: &$0) }
            }
            let json = CorpusSearch.Hit.representation.json(try #require(try hits("opening shop").first))
            #expect(json["document"] == "hours" && json["heading"] == "Opening" && json["position"] == 0)
            guard case .double(let score)? = json["score"], case .string(let excerpt)? = json["excerpt"] else {
                throw TestFailure("\(json)")
            }
            #expect(score > 0 && excerpt.contains("shop"))
            for query in ["", "'", "\"", "a & | ! ( : *", #"\"#, "-", "%"] { _ = try hits(query) }
        }
    }
}
