internal import Contract
internal import NIOHTTP1
internal import TestSupport
internal import Testing

@testable internal import API

/// Changes of what may have changed meanwhile, and what a limit tells.
@Suite struct PreconditionTests {
    @Test func `What has changed since it was read is not changed: 412, and nothing was sent for what cannot be asked`()
        async throws
    {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            func tag(_ path: String) async throws -> String {
                try #require(try await stage.ask(.GET, path, token: token)["ETag"])
            }
            func patch(_ path: String, _ body: String, _ tag: String) async throws -> APIStage.Response {
                try await stage.ask(.PATCH, path, body, token: token, headers: ["If-Match": tag])
            }
            let first = try await tag("/v1/tenants/shop")
            #expect(try await patch("/v1/tenants/shop", #"{"display_name":"One"}"#, first).status == 200)
            let late = try await patch("/v1/tenants/shop", #"{"display_name":"Two"}"#, first)
            #expect(late.status == 412 && late.code == "precondition_failed", "\(late.status) \(late.body)")
            let second = try await tag("/v1/tenants/shop")
            #expect(second != first)
            #expect(try await patch("/v1/tenants/shop", #"{"display_name":"Two"}"#, second).status == 200)
            let settings = try await tag("/v1/tenants/shop/settings")
            #expect(try await patch("/v1/tenants/shop/settings", #"{"colour":"red"}"#, settings).status == 200)
            #expect(try await patch("/v1/tenants/shop/settings", #"{"colour":"blue"}"#, settings).status == 412)
            #expect(try await stage.ask(.GET, "/v1/tenants/shop/settings", token: token).json == ["colour": "red"])
            let letters = "select count(*) from tenantry.dead_letters where code <> 'precondition_failed'"
            let unreadable = try await patch("/v1/tenants/shop", #"{"display_name":"Three"}"#, "no quotes")
            #expect(unreadable.status == 400 && unreadable.json["parameter"] == "If-Match", "\(unreadable.body)")
            let log =
                #"{"conversation_id":"c","messages":[{"id":"m","role":"user","content":"x","sent_at":"2026-11-01T10:00:00Z"}]}"#
            let nothing = try await stage.ask(
                .POST, "/v1/tenants/shop/conversations", log, token: token, headers: ["If-Match": "*"])
            #expect(nothing.status == 400, "\(nothing.body)")
            #expect(try stage.fleet.texts(letters.replacing("count(*)", with: "count(*)::text")) == ["0"])
        }
    }

    @Test func `A limit that is reached tells which, how much is used, and when that begins anew`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme", plan: "small")
            for number in 1...3 { try await stage.makeTenant("shop-\(number)", token: token) }
            let refused = try await stage.ask(.POST, "/v1/tenants", #"{"slug":"shop-4","display_name":"x"}"#, token: token)
            #expect(refused.status == 409 && refused.code == "limit_reached", "\(refused.body)")
            let expected: [String: JSONValue] = [
                "metric": "child_tenants", "limit": 3, "value": 3, "mode": "hard", "resets_at": .null,
            ]
            for (name, value) in expected { #expect(refused.json[name] == value, "\(name): \(refused.body)") }
        }
    }
}
