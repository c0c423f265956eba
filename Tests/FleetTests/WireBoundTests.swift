internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// What is too large on the wire is refused by itself, in bounded memory, and its neighbours are answered.
@Suite(.serialized) struct WireBoundTests {
    private static let token = #"{"name":"t","scopes":["corpus:write"]}"#

    @Test(
        "A body over its kind's limit is refused, and its dead letter holds the beginning, which is not replayed",
        arguments: [(1 << 20) + 1, 40 << 20])
    func body(_ bytes: Int) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let (acme, other) = (try fleet.makeAccount("acme"), try fleet.makeAccount("other"))
        var body = Array(Self.token.utf8)
        body += [UInt8](repeating: UInt8(ascii: " "), count: bytes - body.count)
        try fleet.send("token.issue", body, token: acme, id: "large")
        try fleet.send("token.issue", Self.token, token: other, id: "good")
        #expect(try fleet.answer(to: "good").status == .succeeded)
        let answer = try fleet.answer(to: "large")
        #expect(answer.error?.code == .payloadTooLarge)
        #expect(answer.error?.message.contains("\(bytes)") == true)
        // Just as many as there may be.
        try fleet.send("token.issue", Array(body.prefix(1 << 20)), token: acme, id: "full")
        #expect(try fleet.answer(to: "full").status == .succeeded)
        await fleet.stop()
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        let letter = try #require(try queue.next())
        #expect(letter.delivery.body.elementsEqual(body.prefix(4_096)))
        #expect(letter.delivery.headerInt("x-tenantry-body-bytes") == Int64(bytes))
        #expect(throws: DeadLetterQueue.NotReplayed.self) { try queue.replay(letter) }
        queue.close()
    }

    @Test("Headers over 16 KiB are refused; their dead letter has those that the fleet knows", arguments: [15, 17, 100])
    func headers(_ kilobytes: Int) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let (acme, other) = (try fleet.makeAccount("acme"), try fleet.makeAccount("other"))
        try fleet.send("token.issue", Self.token, token: acme, id: "large") {
            for number in 0..<kilobytes { $0.headers["x-\(number)"] = .text(String(repeating: "x", count: 1_000)) }
        }
        try fleet.send("token.issue", Self.token, token: other, id: "good")
        #expect(try fleet.answer(to: "good").status == .succeeded)
        let answer = try fleet.answer(to: "large")
        await fleet.stop()
        guard kilobytes > 16 else {
            #expect(answer.status == .succeeded)
            return
        }
        #expect(answer.error?.code == .payloadTooLarge)
        let letter = try #require(try fleet.takeDeadLetters().first)
        #expect(letter.code == "payload_too_large")
        #expect(letter.delivery.propertyBytes < Bounds.retriedHeaderBytes)
    }

    @Test(
        "JSON that nests too deep or holds too many values is refused at once, in each family",
        arguments: [
            ("tenant.update", "settings", true), ("conversation.log", "metadata", true), ("corpus.ingest", "documents", true),
            ("usage.aggregate", "x", false), ("token.issue", "x", false), ("account.update", "x", false),
        ])
    func json(_ kind: String, _ field: String, onTenant: Bool) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let (acme, other) = (try fleet.makeAccount("acme"), try fleet.makeAccount("other"))
        try fleet.makeTenant("acme-shop", token: acme)
        let nested =
            String(repeating: "[", count: 55) + (0..<10_000).map { "\($0)" }.joined(separator: ",")
            + String(repeating: "]", count: 55)
        let many = "[" + String(repeating: "0,", count: 100_001) + "0]"
        for (id, value) in [("deep", nested), ("many", many)] {
            let sender = kind == "account.update" ? fleet.operatorToken : acme
            try fleet.send(kind, #"{"\#(field)":\#(value)}"#, tenant: onTenant ? "acme-shop" : nil, token: sender, id: id)
        }
        #expect(try fleet.ask("token.issue", Self.token, token: other).status == .succeeded)
        for id in ["deep", "many"] {
            let answer = try fleet.answer(to: id)
            #expect(answer.error?.code == .payloadTooLarge, "\(kind) \(id): \(answer)")
        }
        await fleet.stop()
    }
}
