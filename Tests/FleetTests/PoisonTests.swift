internal import AMQP
internal import Contract
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet
@testable internal import Jobs

/// Jobs made to stop a lane. Each waits in its queue before good ones of the same batch; all are settled.
@Suite(.serialized) struct PoisonTests {
    /// A job that is to be rejected without harm to others.
    struct Poison: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: String
        let tenant: String?
        let adjust: @Sendable (inout Properties) -> Void
    }

    static let poisons = [
        Poison(testDescription: "NUL in the credential's key", kind: "conversation.log", tenant: "shop") {
            $0.headers["authorization"] = .text("Bearer acc\u{0}.secret")
        },
        Poison(testDescription: "headers that fill a frame", kind: "conversation.log", tenant: "shop") {
            $0.headers["authorization"] = .text("Bearer unknown.unknown")
            $0.headers["ballast"] = .text(String(repeating: "x", count: 130_700))
        },
        Poison(testDescription: "a header of bytes that fills a frame", kind: "conversation.log", tenant: "shop") {
            $0.headers["authorization"] = .text("Bearer unknown.unknown")
            $0.headers["ballast"] = .bytes([UInt8](repeating: 7, count: 130_700))
        },
        Poison(testDescription: "another family's type", kind: "token.issue", tenant: nil) { $0.type = "conversation.log" },
        Poison(testDescription: "a type that is empty", kind: "token.issue", tenant: nil) { $0.type = "" },
        Poison(testDescription: "a credential as long as a frame allows", kind: "token.issue", tenant: nil) {
            $0.headers["authorization"] = .text("Bearer a." + String(repeating: "x", count: 130_700))
        },
    ]

    @Test("A job that is made to stop a lane is dead-lettered, and its neighbours go through", arguments: poisons)
    func poison(_ poison: Poison) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        await fleet.stop()
        func body(_ index: Int) -> String {
            poison.kind == "token.issue" ? #"{"name":"\#(index)","scopes":["corpus:write"]}"# : TestFleet.log(["\(index)"])
        }
        try fleet.send(poison.kind, body(0), tenant: poison.tenant, token: account, id: "poison", adjust: poison.adjust)
        // One of the neighbours is to be rejected itself: its transaction is rolled back while the others' are not.
        try fleet.send(poison.kind, "{}", tenant: poison.tenant, token: account, id: "bad")
        for index in 1...3 {
            try fleet.send(poison.kind, body(index), tenant: poison.tenant, token: account, id: "good-\(index)")
        }
        try fleet.startWorker()
        for index in 1...3 { #expect(try fleet.answer(to: "good-\(index)", timeoutSeconds: 20).status == .succeeded) }
        #expect(try fleet.answer(to: "bad", timeoutSeconds: 20).error?.code == .invalidPayload)
        await fleet.stop()
        let letters = try fleet.takeDeadLetters()
        #expect(letters.map(\.jobID).sorted() == ["bad", "poison"])
    }

    @Test("A job id as long as AMQP allows does not hold up the events and alerts behind it")
    func longestID() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let id = String(repeating: "é", count: 127)
        #expect(
            try fleet.ask("tenant.create", #"{"slug":"shop","display_name":"x"}"#, token: account, id: id).status == .succeeded)
        try await eventually("the outbox is empty", within: 20) { try fleet.number("select count(*) from tenantry.outbox") == 0 }
        await fleet.stop()
    }

    @Test("Token counts as large as a number can be do no harm to the tenant, its account or others")
    func hugeTokens() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        for slug in ["one", "two"] { try fleet.makeTenant(slug, token: account) }
        try fleet.makeTenant("three", token: stranger)
        await fleet.stop()
        let most = Int64.max
        for (index, tenant) in ["one", "two", "one", "two"].enumerated() {
            let message = """
                {"id":"huge-\(index)","role":"user","content":"x","sent_at":"2026-01-01T00:00:00Z","tokens_in":\(most),"tokens_out":\(index < 2 ? 0 : most)}
                """
            try fleet.send(
                "conversation.log", #"{"conversation_id":"c","messages":[\#(message)]}"#, tenant: tenant, token: account,
                id: "huge-\(index)")
        }
        for tenant in ["one", "two"] {
            let message = #"{"id":"good","role":"user","content":"x","sent_at":"2026-01-01T00:00:00Z","tokens_in":7}"#
            try fleet.send(
                "conversation.log", #"{"conversation_id":"c","messages":[\#(message)]}"#, tenant: tenant, token: account,
                id: "good-\(tenant)")
        }
        try fleet.send("conversation.log", TestFleet.log(["1"]), tenant: "three", token: stranger, id: "good-three")
        try fleet.startWorker { $0.lanes[.conversation] = 1 }
        for tenant in ["one", "two", "three"] {
            #expect(try fleet.answer(to: "good-\(tenant)", timeoutSeconds: 20).status == .succeeded)
        }
        try await eventually("the pools follow", within: 20) {
            try fleet.number("select count(*) from tenantry.usage_deltas") == 0
                && fleet.number("select messages from tenantry.account_usage where account = 'else' and messages > 0") == 1
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().allSatisfy { $0.field == "/messages/0/tokens_in" })
    }

    @Test("A job of another user of the broker can be dead-lettered: the broker refuses a user_id that is not the sender's")
    func userID() async throws {
        // What the lane would publish is looked at without a second user on the broker.
        let fleet = try await TestFleet()
        let user = try #require(URL(string: fleet.brokerURL)?.user())
        try fleet.send("conversation.log", "{}", tenant: "shop", token: "none", id: "j") { $0.userID = user }
        let fetched = try fleet.broker.get("tenantry.conversation")
        let delivery = try #require(fetched)
        #expect(RejectionProbe.properties(of: delivery, .invalidPayload).userID == nil)
    }
}

/// What cannot be sent on as it came is cut down to what can.
@Suite struct ReducedPropertiesTests {
    @Test(
        "A text ends with its last whole character that fits",
        arguments: [
            ("abc", 3, "abc"), ("abc", 2, "ab"), ("é€😀", 9, "é€😀"), ("é€😀", 8, "é€"), ("é€😀", 4, "é"), ("é", 1, ""), ("", 0, ""),
        ])
    func clipped(text: String, bytes: Int, expected: String) {
        #expect(text.clipped(bytes: bytes) == expected)
    }

    @Test("Long texts are cut, strange headers go, known ones stay")
    func reduced() {
        var properties = Properties(messageID: String(repeating: "\u{FFFD}", count: 255), type: "conversation.log")
        properties.headers = [
            "tenant": "shop", "own": "x", "authorization": .text(String(repeating: "x", count: 130_000)),
            "x-tenantry-error-code": "invalid_payload", "x-tenantry-attempts": 4, "x-tenantry-kind": .bytes([1]),
        ]
        let reduced = properties.reduced()
        #expect(reduced.messageID == String(repeating: "\u{FFFD}", count: 85))
        #expect(reduced.type == "conversation.log")
        #expect(
            reduced.headers.entries.map(\.name) == ["tenant", "authorization", "x-tenantry-error-code", "x-tenantry-attempts"])
        #expect(reduced.headers["tenant"] == "shop" && reduced.headers["x-tenantry-attempts"] == 4)
    }
}
