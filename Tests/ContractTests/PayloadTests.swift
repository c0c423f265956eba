import Testing

@testable internal import Contract

@Suite struct PayloadTests {
    @Test(
        arguments: [
            (#"{"slug":"acme","display_name":"Acme","plan":"pro"}"#, nil),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","timezone":null,"limits":null,"slug_prefix":"acme-"}"#, nil),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"messages":5,"child_tenants":null}}"#, nil),
            (#"{"slug":"A","display_name":"Acme","plan":"pro"}"#, "invalid_payload /slug"),
            (#"{"slug":"a","display_name":"Acme","plan":"pro"}"#, "invalid_payload /slug"),
            (#"{"slug":"acme","display_name":"","plan":"pro"}"#, "invalid_payload /display_name"),
            (#"{"slug":"acme","plan":"pro"}"#, "invalid_payload /display_name"),
            (#"{"slug":"acme","display_name":"Acme"}"#, "invalid_payload /plan"),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","timezone":"a b"}"#, "invalid_payload /timezone"),
            (
                #"{"slug":"acme","display_name":"Acme","plan":"pro","billing_anchor_day":32}"#,
                "invalid_payload /billing_anchor_day"
            ),
            (
                #"{"slug":"acme","display_name":"Acme","plan":"pro","billing_anchor_day":"1"}"#,
                "invalid_payload /billing_anchor_day"
            ),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","slug_prefix":"-a"}"#, "invalid_payload /slug_prefix"),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"mesages":5}}"#, "invalid_payload /limits/mesages"),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"a/b":5}}"#, "invalid_payload /limits/a~1b"),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"messages":-1}}"#, "invalid_payload /limits/messages"),
            (
                #"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"messages":1.5}}"#,
                "invalid_payload /limits/messages"
            ),
            (
                #"{"slug":"acme","display_name":"Acme","plan":"pro","limits":{"messages":"5"}}"#,
                "invalid_payload /limits/messages"
            ),
            (#"{"slug":"acme","display_name":"Acme","plan":"pro","limits":[]}"#, "invalid_payload /limits"),
        ] as [(String, String?)])
    func `An account is created from`(body: String, expected: String?) {
        #expect(verdict(AccountCreate.self, body) == expected)
    }

    @Test(
        arguments: [
            (#"{"account":"acme"}"#, nil), (#"{"slug":"acme"}"#, nil), (#"{"slug":"acme","account":"acme"}"#, nil),
            (#"{"plan":"pro"}"#, "invalid_payload /account"), (#"{"slug":"acme","account":"other"}"#, "invalid_payload /slug"),
            (#"{"account":7}"#, "invalid_payload /account"), (#"{"slug":7}"#, "invalid_payload /slug"),
            (#"{"account":true,"slug":"acme"}"#, "invalid_payload /account"), (#"{"account":null}"#, "invalid_payload /account"),
            (#"{"account":null,"slug":"acme"}"#, nil), (#"{"account":"acme","slug":7}"#, "invalid_payload /slug"),
            (#"{"account":"acme","limits":{"x":1}}"#, "invalid_payload /limits/x"),
            (#"{"account":"acme","slug_prefix":7}"#, "invalid_payload /slug_prefix"),
        ] as [(String, String?)])
    func `An account is updated from`(body: String, expected: String?) {
        #expect(verdict(AccountUpdate.self, body) == expected)
    }

    @Test func `An update tells absent, null and a value apart`() throws {
        func update(_ body: String) throws -> AccountUpdate {
            try PayloadDecoder.decode(AccountUpdate.self, from: Array(body.utf8))
        }
        #expect(try update(#"{"account":"acme"}"#).limits == .keep)
        #expect(try update(#"{"account":"acme","limits":null,"slug_prefix":null}"#).limits == .clear)
        #expect(try update(#"{"account":"acme","limits":null,"slug_prefix":null}"#).slugPrefix == .clear)
        let set = try update(#"{"account":"acme","limits":{"tokens":null,"messages":5},"slug_prefix":"acme-"}"#)
        #expect(set.limits == .set(Limits([.tokens: .unlimited, .messages: .most(5)])))
        #expect(set.slugPrefix == .set("acme-"))
    }

    @Test(
        arguments: [
            (#"{"slug":"shop","display_name":"Shop"}"#, nil),
            (#"{"slug":"shop","display_name":"Shop","environment":"qa-2","billing_mode":"separate","settings":{"a":[1]}}"#, nil),
            (#"{"slug":"shop","display_name":"Shop","environment":"Q A"}"#, "invalid_payload /environment"),
            (#"{"slug":"shop","display_name":"Shop","billing_mode":"free"}"#, "invalid_payload /billing_mode"),
            (#"{"slug":"shop","display_name":"Shop","settings":[]}"#, "invalid_payload /settings"),
            (#"{"slug":"shop","display_name":"Shop","settings":{"a":{"b":"\u0000"}}}"#, "invalid_payload /settings/a/b"),
            (#"{"slug":"shop","display_name":"Shop","limits":{"child_tenants":1}}"#, "invalid_payload /limits/child_tenants"),
        ] as [(String, String?)])
    func `A tenant is created from`(body: String, expected: String?) {
        #expect(verdict(TenantCreate.self, body) == expected)
    }

    @Test(
        arguments: [
            (#"{"name":"n","scopes":["corpus:write"],"expires_at":"2030-01-01T00:00:00Z"}"#, nil),
            (#"{"name":"n","scopes":[]}"#, "invalid_payload /scopes"), (#"{"name":"n"}"#, "invalid_payload /scopes"),
            (#"{"name":"n","scopes":["corpus:write","all"]}"#, "invalid_payload /scopes/1"),
            (#"{"name":"n","scopes":["corpus:write",1]}"#, "invalid_payload /scopes/1"),
            (#"{"name":"","scopes":["corpus:write"]}"#, "invalid_payload /name"),
            (#"{"name":"n","scopes":["corpus:write"],"expires_at":"soon"}"#, "invalid_payload /expires_at"),
        ] as [(String, String?)])
    func `A token is issued from`(body: String, expected: String?) {
        #expect(verdict(TokenIssue.self, body) == expected)
    }

    @Test(
        arguments: [
            (#"{"key":"k"}"#, nil), (#"{"name":"n"}"#, nil), (#"{}"#, "invalid_payload /key"),
            (#"{"key":null}"#, "invalid_payload /key"),
            (#"{"name":""}"#, "invalid_payload /name"),
        ] as [(String, String?)])
    func `A token is revoked from`(body: String, expected: String?) {
        #expect(verdict(TokenRevoke.self, body) == expected)
    }

    static let document = #""external_id":"d","title":"t","media_type":"text/plain""#

    @Test(
        arguments: [
            (#"{\#(document),"content":"x"}"#, nil), (#"{\#(document),"content_base64":"eHg="}"#, nil),
            (#"{\#(document),"content":"x","language":"de-CH","priority":-3,"tags":["a"],"metadata":{},"segment":"s"}"#, nil),
            (#"{"external_id":"d","title":"t","media_type":"Text/HTML ; charset=utf-8","content":""}"#, nil),
            (#"{"external_id":"d","title":"t","media_type":"image/png","content":"x"}"#, "/media_type"),
            (#"{"external_id":"d","title":"","media_type":"text/plain","content":"x"}"#, "/title"),
            (#"{"title":"t","media_type":"text/plain","content":"x"}"#, "/external_id"),
            (#"{\#(document)}"#, "/content"), (#"{\#(document),"content":"x","content_base64":"eHg="}"#, "/content"),
            (#"{\#(document),"content_base64":"eHg"}"#, "/content_base64"),
            (#"{\#(document),"content_base64":"e*g="}"#, "/content_base64"),
            (#"{\#(document),"content_base64":"===="}"#, "/content_base64"),
            (#"{\#(document),"content_base64":"QUJD=="}"#, "/content_base64"),
            (#"{\#(document),"content_base64":"QUJD===="}"#, "/content_base64"),
            (#"{\#(document),"content":"x","language":"d e"}"#, "/language"),
            (#"{\#(document),"content":"x","priority":1.5}"#, "/priority"),
            (#"{\#(document),"content":"x","priority":2147483648}"#, "/priority"),
            (#"{\#(document),"content":"x","tags":["a",1]}"#, "/tags/1"),
            (#"{\#(document),"content":"x"},{\#(document),"content":"x"}"#, "second"),
        ] as [(String, String?)])
    func `A document is taken from`(document: String, expected: String?) {
        let field = expected.map {
            $0 == "second" ? "invalid_payload /documents/1/external_id" : "invalid_payload /documents/0\($0)"
        }
        #expect(verdict(CorpusIngest.self, #"{"documents":[\#(document)]}"#) == field)
    }

    @Test(
        arguments: [
            (#"{"external_ids":["a"]}"#, nil), (#"{"external_ids":[]}"#, "invalid_payload /external_ids"),
            (#"{"external_ids":["a",""]}"#, "invalid_payload /external_ids/1"),
            (#"{"external_ids":"a"}"#, "invalid_payload /external_ids"),
        ] as [(String, String?)])
    func `Documents are removed by`(body: String, expected: String?) {
        #expect(verdict(CorpusRemove.self, body) == expected)
    }

    @Test(
        arguments: [
            ("{}", nil), (#"{"account":"acme","period":"2026-11"}"#, nil), (#"{"period":"2026-13"}"#, "invalid_payload /period"),
            (#"{"period":"2026-1"}"#, "invalid_payload /period"), (#"{"account":"A"}"#, "invalid_payload /account"),
        ] as [(String, String?)])
    func `Usage is aggregated for`(body: String, expected: String?) {
        #expect(verdict(UsageAggregate.self, body) == expected)
    }

    @Test func `Messages name what was expected and what was found`() {
        #expect(throws: Rejection.invalid("/slug", "must be a string, not a number")) {
            try PayloadDecoder.decode(AccountCreate.self, from: Array(#"{"slug":7,"display_name":"a","plan":"b"}"#.utf8))
        }
        #expect(throws: Rejection.invalid("/scopes", "must be an array, not an object")) {
            try PayloadDecoder.decode(TokenIssue.self, from: Array(#"{"name":"n","scopes":{}}"#.utf8))
        }
        #expect(throws: Rejection.invalid("/limits/messages", "must be an integer, not a boolean")) {
            try PayloadDecoder.decode(AccountUpdate.self, from: Array(#"{"slug":"acme","limits":{"messages":true}}"#.utf8))
        }
    }

    @Test func `Of several faults a rule between fields is told before a field's own`() {
        #expect(verdict(ConversationErase.self, #"{"conversation_id":"","user_id":"u"}"#) == "invalid_payload /user_id")
        #expect(throws: Rejection.invalid("/retention_days", "goes with the mode archive: a purge is at once")) {
            try PayloadDecoder.decode(TenantDelete.self, from: Array(#"{"mode":"purge","retention_days":-1}"#.utf8))
        }
        let both = #"{\#(Self.document),"content":"x","content_base64":"*"}"#
        #expect(verdict(CorpusIngest.self, #"{"documents":[\#(both)]}"#) == "invalid_payload /documents/0/content")
        let untitled = #"{"external_id":"d","title":"","media_type":"text/plain"}"#
        #expect(verdict(CorpusIngest.self, #"{"documents":[\#(untitled)]}"#) == "invalid_payload /documents/0/title")
    }

    @Test func `A pointer stays short enough for a header`() {
        let name = String(repeating: "a", count: 2_000)
        let body = #"{"slug":"shop","display_name":"Shop","settings":{"x":{"\#(name)":"\u0000"}}}"#
        #expect(verdict(TenantCreate.self, body) == "invalid_payload /settings/x")
    }
}
