internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import AMQP
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

    @Test("A dead letter whose headers have outgrown a frame is read and sent anew like any other")
    func letter() async throws {
        let fleet = try await TestFleet()
        // As a policy of the broker would have it there: with all headers of its sender, and more that the broker adds.
        fleet.broker.frameMaxBytes += 4_096
        for id in ["first", "second"] {
            let ballast = [UInt8](repeating: 7, count: 131_064 - 12 - 2 - 1 - 4 - (1 + 7 + 1 + 4) - (1 + id.utf8.count))
            let properties = Properties(headers: ["ballast": .bytes(ballast)], messageID: id)
            try fleet.broker.publish(
                exchange: Topology.deadExchange, routingKey: "token.issue", properties: properties, body: Self.token)
        }
        #expect(try fleet.broker.awaitConfirms(timeoutSeconds: 30).isSuccess)
        for _ in 0..<2 {
            let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
            for id in ["first", "second"] { #expect(try queue.next()?.jobID == id) }
            queue.close()
        }
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        let letter = try #require(try queue.next())
        #expect(letter.delivery.propertyBytes > 131_064 - 12)
        try queue.rewrite(letter) { $0.headers["own"] = 1 }
        try queue.discard(#require(try queue.next()))
        let anew = try #require(try queue.next())
        #expect(anew.jobID == "first" && anew.delivery.propertyBytes < Bounds.retriedHeaderBytes)
        queue.close()
    }

    /// Headers as they stand on the wire: 32 bits, a decimal, 16 bits, a float, no UTF-8 as value and as name, the same name twice, and
    /// arrays 2,000 deep.
    private static let strange: [[UInt8]] = [
        [3, 105, 51, 50, 0x49, 0xFF, 0xFF, 0xFF, 0xFB], [3, 100, 101, 99, 0x44, 2, 0, 0, 0x30, 0x39], [1, 115, 0x73, 0x80, 0],
        [1, 102, 0x66, 0x3F, 0xC0, 0, 0], [1, 120, 0x53, 0, 0, 0, 2, 0xFF, 0xFE], [2, 0xC3, 0x28, 0x53, 0, 0, 0, 1, 0x41],
        [1, 122, 0x53, 0, 0, 0, 1, 0x41], [1, 122, 0x49, 0, 0, 0, 1],
        [1, 119]
            + (0..<2_000).reversed().flatMap { [0x41] + withUnsafeBytes(of: UInt32($0 * 5).bigEndian) { Array($0) } },
    ]

    @Test("Headers of any depth, and under names of any bytes or that stand twice, come back as they went, off the ladder too")
    func strange() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.send("conversation.log", TestFleet.log(["1"]), tenant: "nobody", token: acme, id: "strange") { properties in
            for field in Self.strange {
                let table = field.withUnsafeBytes { FieldTable(wire: $0) }
                field[1..<1 + Int(field[0])].withUnsafeBytes { properties.headers.append(wireName: $0, table.storage[0].value) }
            }
        }
        #expect(try fleet.answer(to: "strange").error?.code == .tenantUnknown)
        await fleet.stop()
        let letter = try #require(try fleet.takeDeadLetters().first)
        #expect(letter.attempts > 1)
        let headers = try Array(#require(letter.delivery.headerBytes))
        for field in Self.strange { #expect(headers.contains(field), "\(field.prefix(16))") }
    }

    @Test("A header of ours that a sender sets twice does not lead the job astray, and what we set stands once")
    func twice() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.send("conversation.log", TestFleet.log(["1"]), tenant: "nobody", token: acme, id: "twice") { properties in
            for _ in 0..<2 {
                for header in [Header.retryDelay, Header.letter, Header.seal, Header.errorCode] {
                    Array(header.name.utf8).withUnsafeBytes { properties.headers.append(wireName: $0, .text("forged")) }
                }
            }
        }
        #expect(try fleet.answer(to: "twice").error?.code == .tenantUnknown)
        await fleet.stop()
        let letter = try #require(try fleet.takeDeadLetters().first)
        #expect(letter.code == "tenant_unknown" && letter.attempts > 1 && letter.id != nil)
        #expect(!letter.delivery.headers.entries.contains { $0.value == .text("forged") })
    }
}
