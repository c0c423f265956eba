internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// What a job came with is what its dead letter, its retry and its answer have, to the byte.
@Suite(.serialized) struct ExactWireTests {
    private static let headers: FieldTable = {
        var deep: FieldValue = .table(["end": .text("here")])
        for level in 0..<60 { deep = level.isMultiple(of: 2) ? .array([deep, .null]) : .table(["l": deep]) }
        return [
            "int8": .number(kind: UInt8(ascii: "b"), bits: 0xFE), "uint8": .number(kind: UInt8(ascii: "B"), bits: 0xFE),
            "int16": .number(kind: UInt8(ascii: "s"), bits: 0xFFFE), "uint16": .number(kind: UInt8(ascii: "u"), bits: 0xFFFE),
            "int32": .number(kind: UInt8(ascii: "I"), bits: 0xFFFF_FFFE),
            "uint32": .number(kind: UInt8(ascii: "i"), bits: 0xFFFF_FFFE), "int64": .int(-2),
            "float": .number(kind: UInt8(ascii: "f"), bits: UInt64(Float(1.5).bitPattern)), "double": .double(2.5),
            "decimal": .number(kind: UInt8(ascii: "D"), bits: 2 << 32 | 12_345), "time": .timestamp(1_700_000_000),
            "not utf-8": .rawText([0x61, 0xFF, 0x62]), "bytes": .bytes([0, 1, 255]), "yes": .bool(true), "nothing": .null,
            "deep": deep,
        ]
    }()
    private static let correlation: [UInt8] = [0xFF, 0x00, 0xC3, 0x28, 0x80]

    @Test(
        "Numbers of every width, decimals, deep tables and ids of any bytes come back as they went, in a dead letter after retries too"
    )
    func exact() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        for (kind, tenant, id) in [("token.issue", nil, "bad"), ("tenant.update", "acme-none", "retried")]
            as [(String, String?, String)]
        {
            try fleet.send(kind, "{}", tenant: tenant, token: acme, id: id) { properties in
                for (name, value) in Self.headers.entries { properties.headers[name] = value }
                Self.correlation.withUnsafeBytes { properties.setCorrelationID($0) }
            }
        }
        var letters: [DeadLetterQueue.Letter] = []
        try await eventually("both are given up") {
            letters += try fleet.takeDeadLetters()
            return letters.count == 2
        }
        for letter in letters {
            let headers = letter.delivery.headers
            for (name, value) in Self.headers.entries { #expect(headers[name] == value, "\(letter.jobID): \(name)") }
            #expect(letter.delivery.correlationIDBytes?.elementsEqual(Self.correlation) == true)
        }
        await fleet.stop()
    }

    @Test("An answer bears the correlation id, whatever bytes it is made of")
    func answered() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        var broker = try AMQP.Connection(BrokerURL(fleet.brokerURL), name: "test")
        let queue = try broker.declareQueue("").name
        try fleet.send("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, token: acme) { properties in
            properties.replyTo = queue
            Self.correlation.withUnsafeBytes { properties.setCorrelationID($0) }
        }
        var answer: Delivery?
        try await eventually("the answer is there") {
            answer = try broker.get(queue)
            return answer != nil
        }
        #expect(answer?.correlationIDBytes?.elementsEqual(Self.correlation) == true)
        await fleet.stop()
    }
}
