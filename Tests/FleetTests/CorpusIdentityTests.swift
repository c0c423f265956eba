internal import Contract
internal import TestSupport
internal import Testing

/// What tells one document from another.
@Suite struct CorpusIdentityTests {
    @Test("Ids that look alike and differ in their bytes are documents of their own, counted each")
    func lookalikes() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        // One composed, one decomposed: the same to Unicode, and to Swift.
        let ids = ["caf\u{E9}", "cafe\u{301}"]
        let documents = ids.enumerated().map { index, id in
            #"{"external_id":"\#(id)","title":"t","media_type":"text/plain","content":"Number \#(index)."}"#
        }
        let body = #"{"documents":[\#(documents.joined(separator: ","))]}"#
        for status in ["created", "unchanged"] {
            let answer = try fleet.ask("corpus.ingest", body, tenant: "shop", token: account)
            guard case .array(let outcomes)? = answer.result?["documents"] else { throw TestFailure("\(answer)") }
            #expect(outcomes.map { $0["status"] } == [.string(status), .string(status)])
        }
        let gauge = "select documents from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'"
        #expect(try fleet.number("select count(*) from tenant_shop.documents") == 2)
        #expect(try fleet.number(gauge) == 2)
        let removed = try fleet.ask(
            "corpus.remove", #"{"external_ids":["\#(ids[0])"]}"#, tenant: "shop", token: account)
        #expect(removed.result?["missing"] == [])
        let missing = try fleet.ask(
            "corpus.remove", #"{"external_ids":["\#(ids[0])","\#(ids[1])"]}"#, tenant: "shop", token: account)
        guard case .array(let left)? = missing.result?["missing"], case .string(let first)? = left.first else {
            throw TestFailure("\(missing)")
        }
        #expect(left.count == 1 && first.unicodeScalars.elementsEqual(ids[0].unicodeScalars))
        #expect(try fleet.number(gauge) == 0)
        await fleet.stop()
    }
}
