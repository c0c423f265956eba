internal import Contract
internal import Fleet
internal import Jobs
internal import TestSupport
internal import Testing

/// Hard limits of documents, with several lanes that ingest at once.
@Suite(.serialized) struct CorpusLimitTests {
    @Test("Of two ingestions at once for the last place under the account's limit exactly one goes through, in all rounds")
    func lastPlace() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "small")
        for slug in ["one", "two"] { try fleet.makeTenant(slug, token: account) }
        await fleet.stop()
        func body(_ id: String) -> String {
            #"{"documents":[{"external_id":"\#(id)","title":"t","media_type":"text/plain","content":"About \#(id)."}]}"#
        }
        for round in 0..<12 {
            let ids = ["one", "two"].map { "\(round)-\($0)" }
            if round == 0 {
                // One place of two is taken.
                try fleet.send("corpus.ingest", body("first"), tenant: "one", token: account, id: "first")
                try fleet.startWorker { $0.lanes = [.corpus: 2] }
                #expect(try fleet.answer(to: "first").status == .succeeded)
            }
            for (slug, id) in zip(["one", "two"], ids) {
                try fleet.send("corpus.ingest", body("last"), tenant: slug, token: account, id: id)
            }
            let answers = try ids.map { try fleet.answer(to: $0) }
            #expect(answers.count { $0.status == .succeeded } == 1, "round \(round): \(answers)")
            #expect(answers.count { $0.error?.code == .limitReached } == 1, "round \(round): \(answers)")
            #expect(
                try fleet.number(
                    "select (select count(*) from tenant_one.documents) + (select count(*) from tenant_two.documents)")
                    == 2)
            for slug in ["one", "two"] {
                let removed = try fleet.ask("corpus.remove", #"{"external_ids":["last"]}"#, tenant: slug, token: account)
                #expect(removed.status == .succeeded, "\(removed)")
            }
        }
        await fleet.stop()
    }
}
