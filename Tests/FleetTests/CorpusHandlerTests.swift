internal import Contract
internal import Corpus
internal import Foundation
internal import TestSupport
internal import Testing

/// `corpus.ingest` and `corpus.remove` against a tenant's schema.
@Suite(.serialized) struct CorpusHandlerTests {
    private func document(_ id: String, _ content: String, type: String = "text/plain", more: String = "") throws -> String {
        let quoted = String(decoding: JSONValue.string(content).serialised(), as: UTF8.self)
        return #"{"external_id":"\#(id)","title":"About \#(id)","media_type":"\#(type)","content":\#(quoted)\#(more)}"#
    }

    private func ingest(_ documents: [String], _ fleet: TestFleet, token: String) throws -> Answer {
        try fleet.ask("corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: "shop", token: token)
    }

    private func statuses(_ answer: Answer) -> [String] {
        guard case .array(let documents)? = answer.result?["documents"] else { return ["\(answer)"] }
        return documents.map { document in
            guard case .string(let status)? = document["status"] else { return "\(document)" }
            guard case .string(let other)? = document["duplicate_of"] else { return status }
            return "\(status) \(other)"
        }
    }

    private func shop() async throws -> (fleet: TestFleet, account: String) {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        return (fleet, account)
    }

    private func expectExactCounters(_ fleet: TestFleet) throws {
        #expect(
            try fleet.texts(
                """
                select d.external_id from tenant_shop.documents d
                where chunk_count <> (select count(*) from tenant_shop.chunks c where c.external_id = d.external_id)
                """) == [], "chunk_count is the number of chunks")
        let gauges = "from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'"
        #expect(try fleet.number("select documents \(gauges)") == fleet.number("select count(*) from tenant_shop.documents"))
        #expect(
            try fleet.number("select corpus_bytes \(gauges)")
                == fleet.number("select sum(greatest(content_bytes, text_bytes))::int8 from tenant_shop.documents"))
    }

    @Test("A document is created, then unchanged, updated when anything about it is new, and a duplicate under another id")
    func outcomes() async throws {
        let (fleet, account) = try await shop()
        let steps: [(documents: [String], expected: [String])] = try [
            ([document("a", "First words."), document("b", "Other words.")], ["created", "created"]),
            ([document("a", "First words.")], ["unchanged"]),
            ([document("a", "First words, changed.")], ["updated"]),
            ([document("a", "First words, changed.", more: #","tags":["x"]"#)], ["updated"]),
            ([document("a", "First words, changed.", more: #","tags":["x"]"#)], ["unchanged"]),
            ([document("c", "Other words.")], ["duplicate_of b"]),
            // Within one job, too.
            (
                [document("d", "Same."), document("e", "Same."), document("a", "First words.")],
                ["created", "duplicate_of d", "updated"]
            ),
            // What was a duplicate may become a document of its own.
            ([document("c", "Other words of its own.")], ["created"]),
        ]
        for step in steps {
            #expect(try statuses(ingest(step.documents, fleet, token: account)) == step.expected)
            try expectExactCounters(fleet)
        }
        #expect(try fleet.texts("select external_id from tenant_shop.documents order by 1") == ["a", "b", "c", "d"])
        #expect(try fleet.texts("select tags[1] from tenant_shop.documents where external_id = 'a'") == [""])
        #expect(
            try fleet.number("select count(*) from tenant_shop.documents where content_hash = encode(sha256('Same.'), 'hex')")
                == 1)

        let removed = try fleet.ask("corpus.remove", #"{"external_ids":["d","nothing","a"]}"#, tenant: "shop", token: account)
        #expect(removed.result == ["removed": ["a", "d"], "missing": ["nothing"]])
        try expectExactCounters(fleet)
        #expect(try fleet.number("select count(*) from tenant_shop.chunks where document in ('a', 'd')") == 0)
        #expect(try statuses(ingest([document("e", "Same.")], fleet, token: account)) == ["created"], "its original is gone")
        try await eventually("the pool follows") {
            try fleet.number("select documents from tenantry.account_usage where period_start = '-infinity'") == 3
        }
        await fleet.stop()
    }

    @Test("Five formats in two languages are split, indexed and found in their own language")
    func formats() async throws {
        let (fleet, account) = try await shop()
        let words = (0..<900).map { "paragraph\($0)" }.joined(separator: " ")
        let documents = try [
            document("plain", "Our bicycles are repaired within three working days.\n\n\(words)", more: #","language":"en""#),
            document(
                "markdown", "# Rückgabe\n\n## Fristen\n\nWaren können innerhalb von vierzehn Tagen zurückgegeben werden.",
                type: "text/markdown",
                more: #","language":"de-CH""#),
            document(
                "html",
                "<html><head><style>p{color:red}</style></head><body><h1>Shipping</h1><p>Parcels travel by <b>railway</b>.</p></body></html>",
                type: "text/html; charset=utf-8", more: #","language":"en""#),
            document(
                "json",
                #"{"question":"Do you sell helmets?","answer":"Yes, and we have them in the sizes that you can ask for."}"#,
                type: "application/json"),
            document("csv", "article,price\nlantern,12.50\nbell,7.00\n", type: "text/csv", more: #","language":"en""#),
        ]
        let answer = try ingest(documents, fleet, token: account)
        #expect(statuses(answer) == Array(repeating: "created", count: 5), "\(answer)")
        try expectExactCounters(fleet)
        // The table's rows repeat its labels, so it counts by its text; counted anew, that is the same.
        let table = "select text_bytes - content_bytes from tenant_shop.documents where external_id = 'csv'"
        #expect(try fleet.number(table) > 0)
        let recount = try fleet.ask("usage.aggregate", "{}", token: account)
        #expect(recount.result?["corrections"] == 0, "\(recount)")
        #expect(
            try fleet.number("select chunk_count from tenant_shop.documents where external_id = 'plain'") > 1,
            "long texts are split")
        #expect(
            try fleet.texts("select heading from tenant_shop.chunks where external_id = 'markdown' and content like '%vierzehn%'")
                == ["Rückgabe > Fristen"])
        #expect(
            try fleet.number("select count(*) from tenant_shop.chunks where content like '%color:red%'") == 0,
            "styles are no content")
        // Each by another form of a word than the document's own: found only where its language is known.
        for (query, id) in [
            ("repair bicycle", "plain"), ("Waren zurückgegeben", "markdown"), ("Tag", "markdown"), ("parcel", "html"),
            ("helmet", "json"),
            ("lanterns", "csv"),
        ] {
            let hits = try #require(try CorpusSearch.run(tenant: "shop", query: query, limit: 5, on: &fleet.database))
            #expect(hits.first?.externalID == id, "\(query): \(hits)")
            #expect(hits.first?.excerpt.contains("**") == true)
            #expect(hits.first?.title == "About \(id)")
        }
        #expect(try CorpusSearch.run(tenant: "shop", query: "zebra", limit: 5, on: &fleet.database)?.isEmpty == true)
        #expect(try CorpusSearch.run(tenant: "nobody", query: "zebra", limit: 5, on: &fleet.database) == nil)
        await fleet.stop()
    }

    @Test("Content in base64 is the same content; what cannot be read is blamed where it stands, and nothing of its job stays")
    func base64() async throws {
        let (fleet, account) = try await shop()
        func encoded(_ id: String, _ bytes: [UInt8], type: String = "text/plain") -> String {
            #"{"external_id":"\#(id)","title":"t","media_type":"\#(type)","content_base64":"\#(Data(bytes).base64EncodedString())"}"#
        }
        #expect(try statuses(ingest([encoded("a", Array("Grüezi mitenand.".utf8))], fleet, token: account)) == ["created"])
        #expect(try statuses(ingest([document("b", "Grüezi mitenand.")], fleet, token: account)) == ["duplicate_of a"])
        #expect(try fleet.texts("select content from tenant_shop.chunks") == ["Grüezi mitenand."])
        #expect(try fleet.number("select content_bytes from tenant_shop.documents") == 17)
        let good = try document("good", "Never to be seen.")
        let bad: [(document: String, field: String)] = try [
            (encoded("x", [0x47, 0xFF, 0xFE, 0x47]), "/documents/1/content_base64"),
            (encoded("x", [0x61, 0x00, 0x62]), "/documents/1/content_base64"),
            (document("x", #"{"open":"#, type: "application/json"), "/documents/1/content"),
            (document("x", "x", type: "application/pdf"), "/documents/1/media_type"),
            (#"{"external_id":"x","title":"t","media_type":"text/plain","content_base64":"%%%"}"#, "/documents/1/content_base64"),
            (#"{"external_id":"x","title":"t","media_type":"text/plain"}"#, "/documents/1/content"),
            (#"{"external_id":"x","title":"t","media_type":"text/plain","content":7}"#, "/documents/1/content"),
            (document("good", "Twice in one job."), "/documents/1/external_id"),
        ]
        for (document, field) in bad {
            let answer = try ingest([good, document], fleet, token: account)
            #expect(answer.error?.code == .invalidPayload && answer.error?.field == field, "\(document): \(answer)")
        }
        #expect(try fleet.number("select count(*) from tenant_shop.documents") == 1)
        try expectExactCounters(fleet)
        await fleet.stop()
    }
}
