import Testing

@testable internal import Contract

/// The longest that is taken, and one more.
@Suite struct PayloadLimitTests {
    /// `#` stands for a text of so many characters, each of four bytes.
    static let lengths: [(kind: String, body: String, most: Int, field: String)] = [
        ("account.create", ##"{"slug":"acme","display_name":"#","plan":"pro"}"##, 200, "/display_name"),
        ("account.create", ##"{"slug":"acme","display_name":"Acme","plan":"#"}"##, 64, "/plan"),
        ("account.update", ##"{"account":"acme","display_name":"#"}"##, 200, "/display_name"),
        ("tenant.create", ##"{"slug":"shop","display_name":"#"}"##, 200, "/display_name"),
        ("tenant.create", ##"{"slug":"shop","display_name":"Shop","template":"#"}"##, 128, "/template"),
        ("tenant.create", ##"{"slug":"shop","display_name":"Shop","stripe_account":"#"}"##, 255, "/stripe_account"),
        ("tenant.update", ##"{"display_name":"#"}"##, 200, "/display_name"),
        ("tenant.update", ##"{"plan":"#"}"##, 64, "/plan"),
        ("tenant.update", ##"{"stripe_account":"#"}"##, 255, "/stripe_account"),
        ("admin.create", ##"{"email":"a@b","display_name":"#","role":"tenant_admin"}"##, 200, "/display_name"),
        ("admin.create", ##"{"email":"a@b","display_name":"A","role":"tenant_admin","password":"#"}"##, 256, "/password"),
        ("token.issue", ##"{"name":"#","scopes":["corpus:write"]}"##, 128, "/name"),
        ("token.revoke", ##"{"name":"#"}"##, 128, "/name"),
        ("token.revoke", ##"{"key":"#"}"##, 128, "/key"),
        ("template.save", ##"{"name":"#"}"##, 128, "/name"),
        ("template.remove", ##"{"name":"#"}"##, 128, "/name"),
        ("template.apply", ##"{"template":"#"}"##, 128, "/template"),
        ("conversation.feedback", ##"{"conversation_id":"#","message_id":"m","rating":1}"##, 128, "/conversation_id"),
        ("conversation.feedback", ##"{"conversation_id":"c","message_id":"#","rating":1}"##, 128, "/message_id"),
        ("conversation.feedback", ##"{"conversation_id":"c","message_id":"m","rating":1,"comment":"#"}"##, 4_000, "/comment"),
        ("conversation.erase", ##"{"conversation_id":"#"}"##, 128, "/conversation_id"),
        ("conversation.erase", ##"{"user_id":"#"}"##, 128, "/user_id"),
    ]

    @Test(arguments: lengths)
    func `A text is as long as its limit and no longer, in characters`(
        _ limit: (kind: String, body: String, most: Int, field: String)
    ) throws {
        let type = try #require(Kind.payloads.first { $0.kind.name == limit.kind })
        for (length, expected) in [(limit.most, nil), (limit.most + 1, "invalid_payload \(limit.field)")] {
            let body = limit.body.replacing("#", with: String(repeating: "😀", count: length))
            #expect(verdict(type, Array(body.utf8)) == expected, "\(limit.kind) \(limit.field) of \(length)")
        }
    }

    @Test(arguments: [
        ("tenant.create_many", #"{"tenants":["#, #"{"slug":"n"}"#, "]}", "/tenants"),
        ("corpus.remove", #"{"external_ids":["#, #""e""#, "]}", "/external_ids"),
    ])
    func `A list has a thousand entries and no more`(
        kind: String, before: String, entry: String, after: String, field: String
    ) throws {
        let type = try #require(Kind.payloads.first { $0.kind.name == kind })
        for (count, expected) in [(1_000, nil), (1_001, "invalid_payload \(field)")] {
            let body = before + Array(repeating: entry, count: count).joined(separator: ",") + after
            #expect(verdict(type, Array(body.utf8)) == expected)
        }
    }

    @Test(arguments: [("corpus.ingest", #""documents""#), ("template.save", #""name":"t","documents""#)])
    func `A job has a thousand documents and no more`(kind: String, start: String) throws {
        let type = try #require(Kind.payloads.first { $0.kind.name == kind })
        for (count, expected) in [(1_000, nil), (1_001, "invalid_payload /documents")] {
            let documents = (0..<count).map {
                #"{"external_id":"d\#($0)","title":"t","media_type":"text/plain","content":""}"#
            }
            let body = "{\(start):[\(documents.joined(separator: ","))]}"
            #expect(verdict(type, Array(body.utf8)) == expected)
        }
    }

    @Test(arguments: [
        ("tenant.create", #"{"slug":"shop","display_name":"Shop","settings":{"a/#":1}}"#),
        ("tenant.update", #"{"settings":{"a/#":null}}"#), ("template.save", #"{"name":"t","settings":{"a/#":{}}}"#),
    ])
    func `A setting's name has 128 characters and no more`(kind: String, template: String) throws {
        let type = try #require(Kind.payloads.first { $0.kind.name == kind })
        for (length, isTaken) in [(126, true), (127, false), (3_000, false)] {
            let name = String(repeating: "é", count: length)
            // A pointer as long as that is cut.
            let field = length > 1_000 ? "/settings" : "/settings/a~1\(name)"
            let body = template.replacing("#", with: name)
            #expect(verdict(type, Array(body.utf8)) == (isTaken ? nil : "invalid_payload \(field)"))
        }
    }

    @Test func `An address has 254 bytes and no more, however many characters they are`() {
        func verdict(_ local: String) -> String? {
            ContractTests.verdict(AdminRemove.self, #"{"email":"\#(local)@example.com"}"#)
        }
        let most = 254 - "@example.com".utf8.count
        #expect(verdict(String(repeating: "a", count: most)) == nil)
        #expect(verdict(String(repeating: "a", count: most + 1)) == "invalid_payload /email")
        #expect(verdict(String(repeating: "é", count: most / 2)) == nil)
        #expect(verdict(String(repeating: "é", count: most / 2 + 1)) == "invalid_payload /email")
    }
}
