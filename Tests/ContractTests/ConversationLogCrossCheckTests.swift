import Testing

@testable internal import Contract

/// The hot reader against `JSONDecoder`: whatever happens to a body, both take it or both refuse it.
@Suite struct ConversationLogCrossCheckTests {
    /// SplitMix64 (Steele, Lea, Flood 2014): the same bodies in every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    static let seeds: [String] = [
        #"{"conversation_id":"c-1","channel":"web","metadata":{"a":[1,2.5,{"b":null}]},"messages":[{"id":"m-1","role":"user","content":"Grüezi 😀 \"there\"","sent_at":"2026-11-23T01:00:00.25+01:00","user_id":"u-1","tokens_in":12,"tokens_out":0,"model":"x","metadata":{"k":true}}]}"#,
        #"{"messages":[{"sent_at":"2026-11-23T01:00:00Z","content":"","role":"tool","id":"a"},{"id":"a","role":"system","content":"\u00e9\ud83d\ude00","sent_at":"2026-06-30T23:59:60z","user_id":null}],"conversation_id":"c"}"#,
    ]
    static let tokens = [
        "null", "true", "-0", "0", "1.0", "1e2", "1.5", "-1", "1e999", "9223372036854775807", "9223372036854775808", "12e-1",
        "\"\"",
        "\"x\"", "[]", "{}", "[[]]", "{\"a\":1}", "\"\\u0000\"", "\"\\ud800\"", "\"user\"", "\"2026-11-23T01:00:00Z\"",
        "\"2027-01-01T00:00:00Z\"", "{\"id\":\"z\"}", ",", ":", "\"id\":\"z\",", "\"tokens_in\":3,", "\"metadata\":{},",
        "\"\\u0069d\":\"q\",",
    ]

    static func mutated(_ seed: String, _ random: inout Generator) -> [UInt8] {
        var body = Array(seed.utf8)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        case 1: body.remove(at: Int.random(in: 0..<body.count, using: &random))
        case 2:
            body.insert(
                Array("\"\\{}[],:0 eEué".utf8).randomElement(using: &random) ?? 0,
                at: Int.random(in: 0...body.count, using: &random))
        case 3: body.removeSubrange(Int.random(in: 0..<body.count, using: &random)...)
        case 4:
            body.insert(
                contentsOf: Array((tokens.randomElement(using: &random) ?? "").utf8),
                at: Int.random(in: 0...body.count, using: &random))
        default:
            // A value in place of another, from a colon to the next comma or bracket.
            let colons = body.indices.filter { body[$0] == 0x3A }
            let from = min((colons.randomElement(using: &random) ?? 0) + 1, body.count)
            let to = body[from...].firstIndex { [0x2C, 0x7D, 0x5D].contains($0) } ?? body.count
            body.replaceSubrange(from..<to, with: Array((tokens.randomElement(using: &random) ?? "").utf8))
        }
        return body
    }

    @Test func `Both readers take and refuse the same bodies`() {
        var random = Generator(state: 20_261_123)
        var taken = 0
        for round in 0..<30_000 {
            var body = Self.mutated(Self.seeds[round % Self.seeds.count], &random)
            if round % 5 == 0, !body.isEmpty { body = Self.mutated(String(decoding: body, as: UTF8.self), &random) }
            let cold = coldVerdict(body)
            #expect(
                hotAccepts(body) == (cold == nil), "\(cold ?? "taken by the cold path"): \(String(decoding: body, as: UTF8.self))"
            )
            #expect(hotVerdict(body) == cold)
            if cold == nil { taken += 1 }
        }
        #expect(taken > 2_000)
    }

    @Test(arguments: [
        "9007199254740993.0", "1e18", "1E+2", "123456789012345678.0", "9.3e18", "9223372036854775807.0", "9223372036854774784.0",
        "1e-400",
        "0e5", "-0.0", "0.0", "-0e1", "1e400", "100e-2", "1.0000000000000000000001", "00", "1e", "+1", ".5", "9.2e18", "-1e-400",
    ])
    func `Both readers agree on which numbers are counts`(number: String) {
        let body = ConversationLogTests.body(ConversationLogTests.good + ",\"tokens_in\":\(number)")
        #expect(hotAccepts(body) == (coldVerdict(body) == nil))
        #expect(hotVerdict(body) == coldVerdict(body))
    }

    @Test func `Both readers read the same values`() throws {
        var random = Generator(state: 7)
        for round in 0..<10_000 {
            let body = Self.mutated(Self.seeds[round % Self.seeds.count], &random)
            guard coldVerdict(body) == nil else { continue }
            let cold = try PayloadDecoder.decode(ConversationLog.self, from: body)
            var reader = ConversationLogReader()
            try body.withUnsafeBytes { bytes in
                try reader.read(bytes, nowMicroseconds: present)
                let hot = reader.messages.map { message in
                    ConversationLog.Message(
                        id: message.id.string(in: bytes), role: message.role, content: message.content.string(in: bytes),
                        sentAt: Instant(microsecondsSince1970: message.sentAtMicroseconds),
                        userID: message.userID?.string(in: bytes),
                        tokensIn: message.tokensIn, tokensOut: message.tokensOut, model: message.model?.string(in: bytes))
                }
                let expected = cold.messages.map { message in
                    var message = message
                    message.metadata = nil
                    return message
                }
                #expect(hot == expected, "\(String(decoding: body, as: UTF8.self))")
                #expect(reader.conversationID.string(in: bytes) == cold.conversationID)
                #expect(reader.channel?.string(in: bytes) == cold.channel)
            }
        }
    }
}
