internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import People
@testable internal import Templates

/// What is read of tokens, administrators and templates.
@Suite struct PeopleReadTests {
    private func onStage(_ body: (HandlerStage, Principal) throws -> Void) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            for slug in ["shop", "cafe"] { try stage.makeTenant(slug, by: acme) }
            try body(stage, acme)
        }
    }

    @Test("Tokens are shown newest first, without a secret, also under their tenant")
    func tokens() async throws {
        try await onStage { stage, acme in
            func issue(_ name: String, tenant: String?) throws -> String {
                let body = #"{"name":"\#(name)","scopes":["corpus:write","corpus:read"]}"#
                guard case .string(let key)? = try stage.ask("token.issue", body, tenant: tenant, by: acme).result?["key"] else {
                    throw TestFailure("no token \(name)")
                }
                // All of a test happens at one time.
                try stage.run(
                    "update tenantry.credentials set created_at = created_at - interval '1 day' where role = 'token' and key <> '\(key)'"
                )
                return key
            }
            let keys = [try issue("one", tenant: "shop"), try issue("two", tenant: nil), try issue("three", tenant: "cafe")]
            func page(tenant: String?, between: ([TokenSummary]) throws -> Void = { _ in }) throws -> [TokenSummary] {
                try pages(of: 1, position: \.position, between: between) { position, limit in
                    try stage.withDatabase {
                        try TokenSummary.page(account: "acme", tenant: tenant, after: position, limit: limit, on: &$0)
                    }
                }
            }
            #expect(try page(tenant: nil).map(\.key) == keys.reversed())
            #expect(try page(tenant: "shop").map(\.key) == [keys[0]])
            let token = try #require(
                try stage.withDatabase { try TokenSummary.find(keys[0], account: "acme", tenant: "shop", on: &$0) })
            let json = TokenSummary.representation.json(token)
            #expect(json["key"] == .string(keys[0]) && json["name"] == "one" && json["tenant"] == "shop")
            #expect(
                json["scopes"] == ["corpus:read", "corpus:write"] && json["expires_at"] == .null && json["revoked_at"] == .null)
            #expect(json["secret"] == nil && json["secret_hash"] == nil)
            for (account, tenant) in [("acme", "cafe"), ("other", nil)] {
                #expect(
                    try stage.withDatabase { try TokenSummary.find(keys[0], account: account, tenant: tenant, on: &$0) } == nil)
            }
            _ = try stage.ask("token.revoke", #"{"key":"\#(keys[1])"}"#, by: acme)
            let revoked = try stage.withDatabase { try TokenSummary.find(keys[1], account: "acme", on: &$0) }
            #expect(revoked?.revokedAt != nil)
            #expect(try stage.withDatabase { try TokenSummary.find(acme.key, account: "acme", on: &$0) } == nil, "no token")
        }
    }

    @Test("Administrators are shown by address, those of tenants too, page by page")
    func administrators() async throws {
        try await onStage { stage, acme in
            func add(_ email: String, tenant: String? = nil) throws {
                let role = tenant == nil ? "account_admin" : "tenant_admin"
                let body = #"{"email":"\#(email)","display_name":"x","role":"\#(role)"}"#
                let answer = try stage.ask("admin.create", body, tenant: tenant, by: acme)
                guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
            }
            try add("bob@x.ch")
            try add("bob@x.ch", tenant: "shop")
            try add("bob@x.ch", tenant: "cafe")
            try add("eve@x.ch", tenant: "shop")
            let seen: [AdministratorSummary] = try pages(of: 1, position: \.position) { rows in
                if rows.count == 1 { try add("ada@x.ch") }
                if rows.count == 2 { try add("cat@x.ch") }
            } page: { position, limit in
                try stage.withDatabase { try AdministratorSummary.page(account: "acme", after: position, limit: limit, on: &$0) }
            }
            #expect(
                seen.map { "\($0.email) \($0.tenant ?? "-")" } == [
                    "bob@x.ch -", "bob@x.ch cafe", "bob@x.ch shop", "cat@x.ch -", "eve@x.ch shop",
                ])
            let ofShop = try stage.withDatabase {
                try AdministratorSummary.page(account: "acme", tenant: "shop", after: nil, limit: 9, on: &$0)
            }
            #expect(ofShop.map(\.email) == ["bob@x.ch", "eve@x.ch"])
            let found = try #require(
                try stage.withDatabase { try AdministratorSummary.find("BOB@x.ch", account: "acme", tenant: "shop", on: &$0) })
            let json = AdministratorSummary.representation.json(found)
            #expect(
                json["role"] == "tenant_admin" && json["tenant"] == "shop" && json["has_password"] == false
                    && json["password_hash"] == nil)
            #expect(try stage.withDatabase { try AdministratorSummary.find("eve@x.ch", account: "acme", on: &$0) } == nil)
        }
    }

    @Test("Templates are shown by name, each with its settings and its documents' titles")
    func templates() async throws {
        try await onStage { stage, acme in
            func save(_ name: String, title: String = "Hours") throws {
                let document =
                    #"{"external_id":"hours","title":"\#(title)","media_type":"text/plain","content":"Nine to five.","tags":["t"]}"#
                let body = #"{"name":"\#(name)","settings":{"tone":{"warm":true}},"documents":[\#(document)]}"#
                let answer = try stage.ask("template.save", body, by: acme)
                guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
            }
            for name in ["b", "c"] { try save(name) }
            let seen: [TemplateSummary] = try pages(of: 1, position: \.position) { rows in
                if rows.count == 1 { for name in ["a", "bb"] { try save(name) } }
            } page: { position, limit in
                try stage.withDatabase { try TemplateSummary.page(account: "acme", after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.name) == ["b", "bb", "c"])
            #expect(TemplateSummary.representation.json(seen[0])["document_count"] == 1)
            let found = try #require(try stage.withDatabase { try TemplateDetails.find("b", account: "acme", on: &$0) })
            let json = TemplateDetails.representation.json(found)
            guard case .array(let documents)? = json["documents"] else { throw TestFailure("\(json)") }
            #expect(json["settings"] == ["tone": ["warm": true]] && documents.map { $0["title"] } == ["Hours"])
            #expect(documents[0]["tags"] == ["t"] && documents[0]["content"] == nil)
            #expect(try stage.withDatabase { try TemplateDetails.find("b", account: "other", on: &$0) } == nil)
            try save("b", title: "Opening hours")
            #expect(try stage.withDatabase { try TemplateDetails.currentETag("b", account: "acme", on: &$0) } != found.etag)
        }
    }
}
