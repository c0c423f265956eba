import Testing

@testable internal import Contract

@Suite struct ConversationLogTests {
    /// A body with one message, `message` being its object's members.
    static func body(_ message: String, _ more: String = "") -> [UInt8] {
        Array(#"{"conversation_id":"c","messages":[{\#(message)}]\#(more)}"#.utf8)
    }

    static let good = #""id":"m","role":"user","content":"x","sent_at":"2026-11-23T01:00:00Z""#

    @Test func `A body is read field by field, slices and numbers`() throws {
        let text = #"""
             {"channel" : "web\u00e9", "metadata":{"a":[1,{"b":null}]}, "conversation_id":"c-1", "later":[{"x":[true,-1.5e3]}],
              "messages":[{"id":"m-1","role":"assistant","content":"a\"b\u00fc\ud83d\ude00\n","sent_at":"2026-11-23T02:00:00.5+01:00",
              "user_id":"u","tokens_in":12,"tokens_out":1000000000,"model":"x","metadata":{ "k":"v" }},
              {"id":"m-2","role":"tool","content":"","sent_at":"2026-11-23T00:00:00Z","user_id":null,"metadata":null}]}
            """#
        var reader = ConversationLogReader()
        try Array(text.utf8).withUnsafeBytes { body in
            try reader.read(body, nowMicroseconds: present)
            #expect(reader.conversationID.string(in: body) == "c-1")
            #expect(reader.channel?.string(in: body) == "webé")
            #expect(reader.metadata?.string(in: body) == #"{"a":[1,{"b":null}]}"#)
            #expect(reader.messages.count == 2)
            let first = reader.messages[0]
            #expect(first.id.string(in: body) == "m-1")
            #expect(first.role == .assistant)
            #expect(first.content.string(in: body) == "a\"bü😀\n")
            #expect(first.sentAtMicroseconds == present + 3_600_500_000)
            #expect(first.tokensIn == 12 && first.tokensOut == 1_000_000_000)
            #expect(first.userID?.string(in: body) == "u" && first.model?.string(in: body) == "x")
            #expect(first.metadata?.string(in: body) == #"{ "k":"v" }"#)
            let second = reader.messages[1]
            #expect(second.userID == nil && second.metadata == nil && second.tokensIn == nil && second.role == .tool)
        }
    }

    @Test(arguments: [
        (#""role":"user","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/id"),
        (#""id":"m","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/role"),
        (#""id":"m","role":"user","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/content"),
        (#""id":"m","role":"user","content":"x""#, "/messages/0/sent_at"),
        (#""id":"","role":"user","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/id"),
        (#""id":7,"role":"user","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/id"),
        (#""id":null,"role":"user","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/id"),
        (#""id":"m","role":"bot","content":"x","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/role"),
        (#""id":"m","role":"user","content":[],"sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/content"),
        (#""id":"m","role":"user","content":"a\u0000b","sent_at":"2026-11-23T01:00:00Z""#, "/messages/0/content"),
        (#""id":"m","role":"user","content":"x","sent_at":"2026-11-24T00:00:00.000001Z""#, "/messages/0/sent_at"),
        (#""id":"m","role":"user","content":"x","sent_at":"yesterday""#, "/messages/0/sent_at"),
        (#""id":"m","role":"user","content":"x","sent_at":1795395600"#, "/messages/0/sent_at"),
        (good + #","tokens_in":-1"#, "/messages/0/tokens_in"),
        (good + #","tokens_in":1.5"#, "/messages/0/tokens_in"),
        (good + #","tokens_out":"1""#, "/messages/0/tokens_out"),
        (good + #","tokens_out":1000000001"#, "/messages/0/tokens_out"),
        (good + #","tokens_out":9223372036854775808"#, "/messages/0/tokens_out"),
        (good + #","user_id":"""#, "/messages/0/user_id"),
        (good + #","model":1"#, "/messages/0/model"),
        (good + #","metadata":[]"#, "/messages/0/metadata"),
        (good + #","metadata":{"a":1e999}"#, "/messages/0/metadata/a"),
        (good + #","metadata":{"a/b~c":["\u0000"]}"#, "/messages/0/metadata/a~1b~0c/0"),
        (good + #","metadata":{"a":{"\u0000":1}}"#, "/messages/0/metadata/a"),
        (good + #","later":["x","\u0000"]"#, "/messages/0/later/1"),
    ])
    func `A field that is wrong is blamed by its pointer`(message: String, field: String) {
        #expect(hotVerdict(Self.body(message)) == "invalid_payload \(field)")
    }

    @Test(arguments: [
        (#"{"messages":[{\#(good)}]}"#, "invalid_payload /conversation_id"),
        (#"{"conversation_id":"c"}"#, "invalid_payload /messages"),
        (#"{"conversation_id":"c","messages":[]}"#, "invalid_payload /messages"),
        (#"{"conversation_id":"c","messages":{}}"#, "invalid_payload /messages"),
        (#"{"conversation_id":"c","messages":[7]}"#, "invalid_payload /messages/0"),
        (#"{"conversation_id":"c","channel":7,"messages":[{\#(good)}]}"#, "invalid_payload /channel"),
        (#"{"conversation_id":"c","messages":[{\#(good)},{}]}"#, "invalid_payload /messages/1/id"),
        ("{}", "invalid_payload /conversation_id"), ("[]", "invalid_payload "), ("null", "invalid_payload "),
        ("\"\\u0000\"", "invalid_payload "),
        ("", "malformed_json -"), ("{", "malformed_json -"), ("{}x", "malformed_json -"), ("{\"a\":1,}", "malformed_json -"),
        ("\u{FEFF}{}", "malformed_json -"), ("{\"a\":01}", "malformed_json -"), ("{\"a\":\"\t\"}", "malformed_json -"),
        (#"{"a":"\ud800"}"#, "malformed_json -"), (#"{"a":"\udc00\ud800"}"#, "malformed_json -"),
        (#"{"a":"\x"}"#, "malformed_json -"),
        ("{a:1}", "malformed_json -"), ("{\"a\":NaN}", "malformed_json -"), ("{\"a\":1.}", "malformed_json -"),
        ("{'a':1}", "malformed_json -"),
    ])
    func `A body that is wrong as a whole is refused with its code`(body: String, expected: String) {
        #expect(hotVerdict(Array(body.utf8)) == expected)
        #expect(coldVerdict(Array(body.utf8)) == expected)
    }

    @Test func `What is not UTF-8 is malformed`() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]] {
            let body = Array("{\"a\":\"12345678".utf8) + bytes + Array("\"}".utf8)
            #expect(hotVerdict(body) == "malformed_json -")
        }
    }

    @Test func `Ids are counted in scalars, not in bytes or characters`() {
        for scalar in ["a", "é", "e\u{301}", "😀", #"\ud83d\ude00"#, #"\u00e9"#] {
            let scalars = scalar.unicodeScalars.elementsEqual("e\u{301}".unicodeScalars) ? 2 : 1
            let fits = String(repeating: scalar, count: 128 / scalars)
            for (id, isGood) in [(fits, true), (fits + "x", false)] {
                let message = Self.good.replacingID(with: id)
                #expect(hotVerdict(Self.body(message)) == (isGood ? nil : "invalid_payload /messages/0/id"))
                #expect(hotAccepts(Self.body(message)) == isGood)
            }
        }
    }

    @Test func `One to a thousand messages are taken, and ids may come twice`() {
        for (count, isGood) in [(1, true), (1_000, true), (1_001, false)] {
            let messages = Array(repeating: "{\(Self.good)}", count: count).joined(separator: ",")
            let body = Array(#"{"conversation_id":"c","messages":[\#(messages)]}"#.utf8)
            #expect(hotVerdict(body) == (isGood ? nil : "invalid_payload /messages"))
        }
    }

    @Test func `Thirty-two levels are taken, one more is too large`() {
        for (levels, isGood) in [(31, true), (32, false)] {
            let value = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
            let place = "/later" + String(repeating: "/0", count: levels - 1)
            #expect(
                hotVerdict(Self.body(Self.good, ",\"later\":\(value)")) == (isGood ? nil : "payload_too_large \(place)"))
        }
        for (levels, isGood) in [(29, true), (30, false)] {
            let value = String(repeating: #"{"a":"#, count: levels) + "1" + String(repeating: "}", count: levels)
            let place = "/messages/0/metadata" + String(repeating: "/a", count: levels - 1)
            #expect(
                hotVerdict(Self.body(Self.good + ",\"metadata\":\(value)")) == (isGood ? nil : "payload_too_large \(place)"))
        }
    }

    @Test func `A hundred thousand values are taken, one more is too large, by both readers`() {
        // Beside the numbers: the payload, its id, the list and its message with four fields, and the list that holds the numbers.
        let others = 9
        for (count, expected) in [(100_000 - others, nil), (100_001 - others, "payload_too_large -")] {
            let numbers = Array(repeating: "1", count: count).joined(separator: ",")
            let body = Self.body(Self.good, ",\"later\":[\(numbers)]")
            #expect(coldVerdict(body) == expected)
            #expect(hotAccepts(body) == (expected == nil))
            #expect(hotVerdict(body) == expected)
        }
    }

    @Test func `A reader is used again without a trace of the last body`() throws {
        var reader = ConversationLogReader()
        let first = Self.body(Self.good, #","channel":"web","metadata":{}"#)
        let second = Self.body(Self.good)
        try first.withUnsafeBytes { try reader.read($0, nowMicroseconds: present) }
        #expect(reader.channel != nil && reader.metadata != nil)
        try second.withUnsafeBytes { try reader.read($0, nowMicroseconds: present) }
        #expect(reader.channel == nil && reader.metadata == nil && reader.messages.count == 1)
    }
}

extension String {
    fileprivate func replacingID(with id: String) -> String { "\"id\":\"\(id)\"" + dropFirst(#""id":"m""#.count) }
}
