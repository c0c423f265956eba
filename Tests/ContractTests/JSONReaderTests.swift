import Testing

@testable internal import Contract

@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(
        arguments: [
            ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-0", 0), ("12", 12), ("12.0", 12), ("1.2e1", 12),
            ("1.5", 1.5), ("-9223372036854775808", .int(.min)), ("9223372036854775807", .int(.max)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1e300", 1e300), ("1e-400", 0),
            (#""\u00e9\ud83d\ude00\n""#, "é😀\n"), ("[]", []), ("{}", [:]), (#"[1,[2,{"a":[]}]]"#, [1, [2, ["a": []]]]),
            (#"{"a":1,"b":{"c":null},"a":2}"#, ["a": 1, "b": ["c": .null]]),
        ] as [(String, JSONValue)])
    func `JSON is read as it is`(text: String, value: JSONValue) throws {
        #expect(try read(text) == value)
    }

    @Test(
        arguments: [
            ("", 0), ("nul", 0), ("[1,]", 3), ("[1 2]", 3), (#"{"a"}"#, 4), (#"{"a":}"#, 5), ("{a:1}", 1), ("01", 1), ("1.", 2),
            ("+1", 0), ("[1]]", 3), (#""\ud800""#, 7), (#""\x""#, 3), ("\"a\u{1}\"", 3), ("\"abc", 4),
        ])
    func `What is no JSON is told by the byte where it ends to be some`(text: String, byte: Int) throws {
        #expect(throws: JSONFault.malformed(byte: byte)) { try read(text) }
    }

    @Test func `Bytes that are no UTF-8, and a byte order mark, are told by their names`() {
        #expect(throws: JSONFault.notUTF8) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONFault.byteOrderMark) { try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31]) }
    }

    @Test func `Thousands of numbers within many arrays are settings like any other`() throws {
        let levels = 29
        let numbers = (0..<6_000).map { String($0) + ".25" }.joined(separator: ",")
        let nested = String(repeating: "[", count: levels) + numbers + String(repeating: "]", count: levels)
        let update = try PayloadDecoder.decode(TenantUpdate.self, from: Array(#"{"settings":{"a":\#(nested)}}"#.utf8))
        var value = try #require(update.settings?["a"])
        for _ in 1..<levels {
            guard case .array(let elements) = value, elements.count == 1 else { return #expect(Bool(false), "\(value)") }
            value = elements[0]
        }
        #expect(value == .array((0..<6_000).map { .double(Double($0) + 0.25) }))
    }

    @Test(arguments: [
        (#"{"settings":{"a":1e999}}"#, "/settings/a"), (#"{"settings":{"a":[0,{"b":-1e400}]}}"#, "/settings/a/1/b"),
    ])
    func `A number that nothing holds is refused where it stands`(body: String, field: String) {
        #expect(throws: Rejection.invalid(field, "is a number out of range")) {
            try PayloadDecoder.decode(TenantUpdate.self, from: Array(body.utf8))
        }
    }

    @Test func `Too much is refused with the bound that it breaks`() {
        let deep = #"{"settings":{"a":"# + String(repeating: "[", count: 40) + String(repeating: "]", count: 40) + "}}"
        let place = "/settings/a" + String(repeating: "/0", count: 30)
        #expect(throws: Rejection(.payloadTooLarge, "the body nests deeper than 32 levels", field: place)) {
            try PayloadDecoder.decode(TenantUpdate.self, from: Array(deep.utf8))
        }
        let many = #"{"settings":{"a":["# + Array(repeating: "0", count: 100_000).joined(separator: ",") + "]}}"
        #expect(throws: Rejection(.payloadTooLarge, "the body holds more than 100000 values")) {
            try PayloadDecoder.decode(TenantUpdate.self, from: Array(many.utf8))
        }
    }
}

@Suite struct AuditedPayloadTests {
    @Test func `The audit log keeps no secret, no data, and of free-form objects the names alone`() {
        func kept(_ kind: Kind, _ body: String, mostBytes: Int = 8_192) -> JSONValue {
            var body = body
            return body.withUTF8 { kind.auditedPayload(of: UnsafeRawBufferPointer($0), mostBytes: mostBytes) }
        }
        #expect(
            kept(.adminCreate, #"{"email":"a@b","display_name":"A","role":"tenant_admin","password":"correct horse","x":1}"#)
                == ["email": "a@b", "display_name": "A", "role": "tenant_admin"])
        #expect(
            kept(.tenantUpdate, #"{"settings":{"b":"secret","a":1},"limits":{"messages":null},"plan":null}"#)
                == ["settings": ["a", "b"], "limits": ["messages": .null], "plan": .null])
        #expect(kept(.conversationErase, #"{"user_id":"u"}"#) == [:])
        #expect(
            kept(.accountUpdate, #"{"slug":"acme","limits":{"tokens":5,"documents":null}}"#)
                == ["slug": "acme", "limits": ["tokens": 5, "documents": .null]])
        #expect(kept(.accountUpdate, #"{"slug":"acme"}"#, mostBytes: 10) == ["fields": ["slug"]])
        #expect(
            kept(.tenantCreateMany, #"{"defaults":{"settings":{"k":1},"y":2},"tenants":[{"slug":"a","z":3}]}"#)
                == ["defaults": ["settings": ["k"]], "tenants": [["slug": "a"]]])
        #expect(kept(.tenantUpdate, #"{"display_name":"Shop","x":1}"#, mostBytes: 10) == ["fields": ["display_name"]])
    }
}
