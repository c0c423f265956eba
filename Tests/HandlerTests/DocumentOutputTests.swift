internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// Little input, much output: what documents yield is bounded, and counted.
@Suite struct DocumentOutputTests {
    private func statuses(_ answer: Answer) -> [String] {
        guard case .array(let documents)? = answer.result?["documents"] else { return ["\(answer)"] }
        return documents.map { if case .string(let status)? = $0["status"] { status } else { "\($0)" } }
    }

    private func ingest(_ documents: [String], _ stage: HandlerStage, by account: Principal) throws -> Answer {
        try stage.ask("corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: "shop", by: account)
    }

    private func document(_ id: String, _ content: String, type: String = "text/plain") -> String {
        let quoted = String(decoding: JSONValue.string(content).serialised(), as: UTF8.self)
        return #"{"external_id":"\#(id)","title":"About \#(id)","media_type":"\#(type)","content":\#(quoted)}"#
    }

    private func shop(_ stage: HandlerStage) throws -> Principal {
        let acme = try stage.makeAccount("acme")
        try stage.makeTenant("shop", by: acme)
        return acme
    }

    private let corpusBytes =
        "select corpus_bytes from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'"

    @Test(arguments: HostileDocument.all)
    func `Of eight small documents with much text, those over the bound are refused, and a good one beside them goes in`(
        _ hostile: HostileDocument
    ) async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let answer = try ingest(
                (0..<8).map(hostile.document) + [document("good", "Open from nine to five.")], stage, by: acme)
            let statuses = statuses(answer)
            #expect(statuses.last == "created" && statuses.contains("rejected"), "\(statuses)")
            let first = try #require(statuses.firstIndex(of: "rejected"))
            guard case .array(let documents)? = answer.result?["documents"] else { return }
            #expect(documents[first]["error"]?["code"] == "payload_too_large")
            #expect(documents[first]["error"]?["field"] == .string("/documents/\(first)"))
            guard case .string(let message)? = documents[first]["error"]?["message"] else { return }
            #expect(message.contains("at most 16 times their bytes or 1048576 bytes"), "\(message)")

            let most = Int64(Bounds.textBytes(ofSource: 9 * (HostileDocument.bytes + 100)))
            #expect(try stage.number("select sum(text_bytes)::int8 from tenant_shop.documents") <= most)
            let chunks = "select sum(octet_length(heading) + octet_length(content))::int8 from tenant_shop.chunks"
            #expect(try stage.number(chunks) <= 2 * most)
            let counted = try stage.number("select sum(greatest(content_bytes, text_bytes))::int8 from tenant_shop.documents")
            #expect(try stage.number(corpusBytes) == counted)
        }
    }

    @Test(arguments: HostileDocument.all)
    func `A template with such documents is refused as a whole, and is left as it was`(_ hostile: HostileDocument) async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let before = #"{"name":"t","documents":[\#(document("a", "One."))]}"#
            #expect(try stage.ask("template.save", before, by: acme).status == .succeeded)
            let documents = (0..<8).map(hostile.document).joined(separator: ",")
            let answer = try stage.ask("template.save", #"{"name":"t","documents":[\#(documents)]}"#, by: acme)
            #expect(answer.error?.code == .payloadTooLarge)
            #expect(answer.error?.field?.hasPrefix("/documents/") == true)
            #expect(try stage.texts("select external_id from tenantry.template_documents") == ["a"])
        }
    }

    @Test func `A document counts by its text where that is larger, when it is added, changed, copied and removed`() async throws
    {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let table = "a longer name of a column\n" + String(repeating: "1\n", count: 100)
            let text = Int64(100 * "a longer name of a column: 1".utf8.count)
            #expect(statuses(try ingest([document("t", table, type: "text/csv")], stage, by: acme)) == ["created"])
            #expect(try stage.number(corpusBytes) == text)
            #expect(statuses(try ingest([document("t", "Short.")], stage, by: acme)) == ["updated"])
            #expect(try stage.number(corpusBytes) == 6)

            let template = #"{"name":"t","documents":[\#(document("t", table, type: "text/csv"))]}"#
            #expect(try stage.ask("template.save", template, by: acme).status == .succeeded)
            let applied = try stage.ask("template.apply", #"{"template":"t"}"#, tenant: "shop", by: acme)
            #expect(statuses(applied) == ["updated"])
            #expect(try stage.number(corpusBytes) == text)
            #expect(statuses(try ingest([document("t", table, type: "text/csv")], stage, by: acme)) == ["unchanged"])

            let removed = try stage.ask("corpus.remove", #"{"external_ids":["t"]}"#, tenant: "shop", by: acme)
            #expect(removed.status == .succeeded)
            #expect(try stage.number(corpusBytes) == 0)
        }
    }

    @Test func `A document from before its text was counted goes on counting by its source`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let table = "a longer name of a column\n1\n2\n"
            _ = try ingest([document("t", table, type: "text/csv")], stage, by: acme)
            _ = try stage.texts("update tenant_shop.documents set text_bytes = 0 returning external_id")
            let source = Int64(table.utf8.count)
            _ = try stage.texts(
                "update tenantry.tenant_usage set corpus_bytes = \(source) where tenant = 'shop' returning tenant")
            #expect(statuses(try ingest([document("t", "Short.")], stage, by: acme)) == ["updated"])
            #expect(try stage.number(corpusBytes) == 6)
        }
    }

    @Test func `A long document goes in a part at a time, without a gap, and gives way to a short one`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let sentences = (0..<60_000).map { "Sentence number \($0) stands here." }
            // One paragraph without an end, and one of many lines.
            let long = sentences[..<30_000].joined(separator: " ") + "\n\n" + sentences[30_000...].joined(separator: "\n")
            let answer = try ingest([document("long", long), document("short", "Short.")], stage, by: acme)
            #expect(statuses(answer) == ["created", "created"])
            let count = try stage.number("select chunk_count from tenant_shop.documents where external_id = 'long'")
            #expect(count > 1_000)
            let positions =
                "select count(distinct position) from tenant_shop.chunks where external_id = 'long' and position < \(count)"
            #expect(try stage.number(positions) == count)
            #expect(try stage.number("select count(*) from tenant_shop.chunks") == count + 1)
            let found = """
                select count(distinct m[1]) from tenant_shop.chunks, regexp_matches(content, 'number (\\d+) stands', 'g') m
                """
            #expect(try stage.number(found) == 60_000, "no sentence is lost")
            #expect(statuses(try ingest([document("long", "Now it is short.")], stage, by: acme)) == ["updated"])
            #expect(try stage.number("select count(*) from tenant_shop.chunks") == 2)
        }
    }

    @Test func `A document's metadata has a bound`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            for (length, expected) in [(Bounds.metadataBytes - 10, nil), (Bounds.metadataBytes, ErrorCode.payloadTooLarge)] {
                let metadata = #"{"m":"\#(String(repeating: "x", count: length))"}"#
                let document = #"{"external_id":"d","title":"t","media_type":"text/plain","content":"x","metadata":\#(metadata)}"#
                let answer = try ingest([document], stage, by: acme)
                #expect(answer.error?.code == expected)
                if expected != nil { #expect(answer.error?.field == "/documents/0/metadata") }
            }
        }
    }
}
