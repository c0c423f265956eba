internal import Contract
internal import Foundation
internal import NIOHTTP1
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import API
@testable internal import Console

/// Dead letters on the console: looked at, and settled one by one, those picked, or all that match.
@Suite struct LetterTests {
    /// A queue of letters that are rows of the database alone.
    private final class Letters: Platform {
        private let settled = Mutex<[(id: String, deed: LetterDeed)]>([])
        /// These are not replayed.
        let stubborn: Set<String>

        init(stubborn: Set<String> = []) {
            self.stubborn = stubborn
        }

        var ids: [String] { settled.withLock { $0.map(\.id) } }
        var deeds: [LetterDeed] { settled.withLock { $0.map(\.deed) } }

        func queues() async throws -> [QueueReading] { [] }

        func letter(_ id: String) async throws -> LetterContent? {
            LetterContent(
                headers: ["kind": "tenant.create", "x-tenantry-attempts": "3"], replyTo: "answers",
                payload: #"{"slug":"<b>shop</b>"}"#, isCut: false)
        }

        func settle(_ ids: [String], _ deed: LetterDeed) async throws -> LetterOutcome {
            let done = ids.filter { !stubborn.contains($0) }
            settled.withLock { $0 += done.map { ($0, deed) } }
            return LetterOutcome(done: done, left: ids.filter { stubborn.contains($0) }.map { "letter \($0) is not sealed" })
        }
    }

    private func id(_ number: Int) -> String { String(format: "00000000-0000-0000-0000-%012d", number) }

    private func fill(_ count: Int, code: String = "limit_reached", from first: Int = 0, _ stage: APIStage) throws {
        try stage.fleet.change(
            """
            insert into tenantry.dead_letters (id, job_id, kind, account, tenant, key, code, message, attempts, failed_at, body_bytes, is_sealed)
            select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'job-' || n, 'tenant.create', 'acme', null, 'acc_x', '\(code)',
                   'it is <b>full</b>', 3, now() - n * interval '1 second', 20, true
            from generate_series(\(first), \(first + count - 1)) n
            """)
    }

    @Test func `Letters stand by their cause, and one with what was sent`() async throws {
        try await withAPI(startsWorker: false, console: .init(), platform: Letters()) { stage in
            try fill(3, stage)
            try fill(2, code: "conflict", from: 10, stage)
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            let page = try await browser.get("/dead")
            #expect(
                page.text.contains("limit_reached") && page.text.contains("conflict") && page.text.contains("it is <b>full</b>"))
            let filtered = try await browser.get("/dead?code=conflict")
            #expect(filtered.body.ranges(of: "name=\"letter\"").count == 2)
            let one = try await browser.get("/dead/letters/\(id(1))")
            #expect(
                one.status == 200 && one.text.contains("\"slug\": \"<b>shop</b>\"") && one.text.contains("Attempts")
                    && !one.body.contains("<b>"))
            #expect(try await browser.get("/dead/letters/\(id(77))").status == 404)
            let counts = try await browser.get("/dead.json")
            #expect(counts.json.items("dead-letters").count == 5)
            let account = try await stage.ask(.GET, "/v1/dead/counts?by=code", token: stage.fleet.operatorToken)
            #expect(account.json.items("data").map { $0.text("code") ?? "" } == ["limit_reached", "conflict"])
        }
    }

    @Test func `Those picked are settled, on record, and leave the list`() async throws {
        let letters = Letters()
        try await withAPI(startsWorker: false, console: .init(), platform: letters) { stage in
            try fill(4, stage)
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            let nothing = try await browser.post("/dead", [("deed", "replay")])
            #expect(nothing.status == 422 && nothing.text.contains("Tick at least one"))
            let done = try await browser.post("/dead", [("letter", id(0)), ("letter", id(2)), ("deed", "replay")])
            #expect(done.status == 303 && done["Location"] == "/dead?done=replayed")
            #expect(letters.ids == [id(0), id(2)])
            #expect(try stage.fleet.number("select count(*) from tenantry.dead_letters") == 2)
            let discarded = try await browser.post("/dead/letters/\(id(1))", [("deed", "discard")])
            #expect(discarded.status == 303 && letters.deeds.last == .discard)
            #expect(
                try stage.fleet.texts("select kind from tenantry.audit_log where kind like 'dead.%' order by id") == [
                    "dead.replay", "dead.discard",
                ])
        }
    }

    @Test func `All that match: the count first, at a rate, with progress, and what is left says why`() async throws {
        let letters = Letters(stubborn: [id(7)])
        try await withAPI(startsWorker: false, console: .init(), platform: letters) { stage in
            try fill(30, stage)
            try fill(5, code: "conflict", from: 100, stage)
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            let asked = try await browser.get("/dead/all?deed=replay&code=limit_reached")
            #expect(asked.text.contains("30 letters match") && asked.text.contains("tenantry dead replay --code limit_reached"))
            let fields = [("form", "form"), ("deed", "replay"), ("filter-code", "limit_reached")]
            let other = try await browser.post("/dead/all", fields + [("expect", "29"), ("rate", "100")])
            #expect(other.status == 409 && other.text.contains("30 letters match by now"))
            #expect(letters.ids.isEmpty)
            for rate in ["0", "10001", "x", ""] {
                #expect(
                    try await browser.post("/dead/all", fields + [("expect", "30"), ("rate", rate)]).status == 422, "\(rate)")
            }
            let begun = try await browser.post("/dead/all", fields + [("expect", "30"), ("rate", "10")])
            let place = try #require(begun["Location"])
            #expect(begun.status == 303 && place.hasPrefix("/dead/runs/"))
            let under = try await browser.get(place)
            #expect(under.text.contains("of 30 letters") && under.body.contains("http-equiv=\"refresh\""))
            try await eventually("it is done") {
                try await browser.get(place).text.contains("29 of 30 letters, 1 left where they are")
            }
            #expect(try await browser.get(place).text.contains("is not sealed"))
            #expect(letters.ids.count == 29)
            #expect(try stage.fleet.number("select count(*) from tenantry.dead_letters") == 6)
            #expect(try await browser.get("/dead/runs/none").status == 404)
        }
    }

    @Test func `A run is stopped where it is; nobody but operators settles anything`() async throws {
        let letters = Letters()
        try await withAPI(console: .init(), platform: letters) { stage in
            try fill(500, stage)
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            let begun = try await browser.post(
                "/dead/all", [("form", "form"), ("deed", "discard"), ("expect", "500"), ("rate", "1")])
            let place = try #require(begun["Location"])
            #expect(try await browser.post(place, []).status == 303)
            try await eventually("it has stopped") { !(try await browser.get(place).body.contains("http-equiv")) }
            #expect(letters.ids.count < 20)
            let customer = Browser(stage)
            try await customer.signIn(try await stage.makeAccount("acme"))
            #expect(try await customer.get("/dead").status == 403)
            #expect(try await customer.get("/dead/all?deed=discard").status == 403)
            #expect(try await customer.get(place).status == 404)
            #expect(try await customer.post("/dead", [("letter", id(499)), ("deed", "discard")]).status == 403)
            #expect(
                try await customer.post("/dead/all", [("form", "form"), ("deed", "discard"), ("expect", "0"), ("rate", "1")])
                    .status == 403)
        }
    }
}
