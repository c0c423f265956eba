internal import Testing

@testable internal import Contract

@Suite struct RedactionTests {
    private static func remainder(of body: String) -> Redaction.Remainder? {
        Array(body.utf8).withUnsafeBytes { Redaction.remainder(of: $0) }
    }

    @Test(
        "A password is taken out with one comma, and all else stays byte for byte",
        arguments: [
            (#"{"password":"x"}"#, "{}"), (#"{"a":1,"password":"x"}"#, #"{"a":1}"#), (#"{"password":"x","a":1}"#, #"{"a":1}"#),
            (#"{ "a" : 1 , "password" : "x" , "b" : 2 }"#, #"{ "a" : 1 ,  "b" : 2 }"#),
            (#"{"a":1,"pass\u0077ord":"x"}"#, #"{"a":1}"#), (#"{"Password":{"of":["x"]}}"#, "{}"),
            (#"{"a":1,"password":"x","password":"y"}"#, #"{"a":1}"#), (#"{"password":"x","password":"y"}"#, "{}"),
            (#"{"a":"\"password\"","password":"x","b":{"password":"kept"}}"#, #"{"a":"\"password\"","b":{"password":"kept"}}"#),
        ])
    func members(_ body: String, _ rest: String) throws {
        let remainder = try #require(Self.remainder(of: body))
        #expect(String(decoding: remainder.body, as: UTF8.self) == rest)
        #expect(remainder.pointers.allSatisfy { $0.lowercased() == "/password" })
    }

    @Test(
        "What holds no secret is left alone",
        arguments: [
            "", "{}", "[]", #"{"a":"password"}"#, #"{"a":{"password":"x"}}"#, #"["password"]"#, #"{"a":"\u0041"}"#,
            #"{"a":"\u0041""#,
            #"{"passwords":1}"#, #"{"content":"my \"password\" is"#,
        ])
    func nothing(_ body: String) throws {
        let isArray = body.hasPrefix("[\"")
        #expect(Self.remainder(of: body) == (isArray ? .init(body: [], pointers: [""]) : nil))
    }

    @Test(
        "What cannot be read, and names a secret, is left out whole",
        arguments: [#"{"password":"x""#, #"{"password":"#, #"x "password""#])
    func unreadable(_ body: String) {
        #expect(Self.remainder(of: body) == .init(body: [], pointers: [""]))
    }

    @Test("A name that stands there often is named once, and all its values are told apart")
    func often() throws {
        let body = "{" + (0..<10_000).map { #""password":\#($0)"# }.joined(separator: ",") + "}"
        let remainder = try #require(Self.remainder(of: body))
        #expect(remainder.pointers == ["/password"] && remainder.values.count == 10_000)
        #expect(String(decoding: remainder.body, as: UTF8.self) == "{}")
    }

    @Test(
        "Where a password is to be expected, one that stands deeper, or may stand where nothing can be read, takes the body with it",
        arguments: [
            #"{"payload":{"password":"x"}}"#, #"{"a":[{"pass\u0077ord":"x"}]}"#, #"{"p\u0061ssword":"x",}"#,
            #"{"a":{"password":"x"},"password":"y"}"#,
        ])
    func strict(_ body: String) {
        let strict = Array(body.utf8).withUnsafeBytes { Redaction.remainder(of: $0, isStrict: true) }
        #expect(strict == .init(body: [], pointers: [""]))
        let plain = #"{"a":"password","b":"\u0041"}"#
        #expect(Array(plain.utf8).withUnsafeBytes { Redaction.remainder(of: $0, isStrict: true) } == nil)
    }

    @Test("What was put back is taken out again, to the same bytes", arguments: ["{}", #"{"a":1}"#, #"{ "a":1}"#, "{ }"])
    func restored(_ body: String) throws {
        let whole = try #require(Array(body.utf8).withUnsafeBytes { Redaction.restored($0, ["password": "a\"b\\"]) })
        let value = try JSONValue(parsing: whole)
        #expect(value["password"] == .string("a\"b\\"))
        let again = try #require(whole.withUnsafeBytes { Redaction.remainder(of: $0) })
        #expect(String(decoding: again.body, as: UTF8.self) == body)
    }
}
