internal import Contract
internal import HTTPTypes
internal import NIOHTTP1
internal import TestSupport
internal import Testing

@testable internal import API

/// What all routes have in common.
@Suite struct ConventionTests {
    @Test func `A request that cannot be answered is told what is wrong, as a problem`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            func expect(
                _ method: NIOHTTP1.HTTPMethod, _ path: String, body: String? = nil, headers: [String: String] = [:],
                _ status: Int,
                _ code: String, sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                let answer = try await stage.ask(method, path, body, token: token, headers: headers)
                #expect(
                    answer.status == status && answer.code == code, "\(answer.status) \(answer.body)",
                    sourceLocation: sourceLocation)
                #expect(answer["Content-Type"] == "application/problem+json", sourceLocation: sourceLocation)
                #expect(answer["RateLimit"] != nil && answer["RateLimit-Policy"] != nil, sourceLocation: sourceLocation)
                #expect(answer.json["status"] == .int(Int64(status)), sourceLocation: sourceLocation)
            }
            try await expect(.GET, "/v1/nothing", 404, "not_found")
            try await expect(.GET, "/v1/tenants/%00", 404, "not_found")
            try await expect(.PUT, "/v1/tenants", 405, "method_not_allowed")
            try await expect(.GET, "/v1/tenants?colour=red", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?limit=0", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?limit=201", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?limit=1&limit=2", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?cursor=abc", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?state=gone", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants?q=%FF", 400, "invalid_parameter")
            try await expect(.GET, "/v1/usage?period=0000-01", 400, "invalid_parameter")
            try await expect(.GET, "/v1/tenants", headers: ["Accept": "image/png"], 406, "not_acceptable")
            try await expect(.GET, "/v1/tenants/nobody", 404, "tenant_unknown")
            try await expect(.POST, "/v1/tenants", body: "{", 400, "malformed_json")
            try await expect(.POST, "/v1/tenants", body: "{}", 422, "invalid_payload")
            try await expect(
                .POST, "/v1/tenants", body: "<a/>", headers: ["Content-Type": "text/xml"], 415, "unsupported_media_type")
            try await expect(
                .POST, "/v1/tenants", body: "{}", headers: ["Content-Encoding": "gzip"], 415, "unsupported_media_type")
            try await expect(.POST, "/v1/tenants", body: "{}", headers: ["Idempotency-Key": "a b"], 400, "invalid_parameter")
            try await expect(.POST, "/v1/tenants", body: String(repeating: "x", count: 1 << 20 + 1), 413, "payload_too_large")
            try await expect(
                .GET, "/v1/me", headers: ["X-Long": String(repeating: "x", count: 17 << 10)], 431, "headers_too_large")
            try await expect(.GET, "/v1/me?" + String(repeating: "x", count: 9 << 10), 414, "uri_too_long")
            let field = try await stage.ask(
                .POST, "/v1/tenants", #"{"slug":"Ä","display_name":"x"}"#, token: token, headers: ["Idempotency-Key": "k1"])
            #expect(field.json["field"] == "/slug" && field["Idempotency-Key"] == "k1", "\(field.body)")
            let allow = try await stage.ask(.PUT, "/v1/tenants", token: token)
            #expect(allow["Allow"] == "GET, HEAD, POST")
        }
    }

    @Test func `Pages of a list stay right while rows come and go, and are to be had as CSV and JSON Lines`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            for number in 1...5 { try await stage.makeTenant("t\(number)", token: token) }
            var seen: [String] = []
            var path = "/v1/tenants?limit=2"
            for turn in 0..<5 {
                let page = try await stage.ask(.GET, path, token: token)
                guard page.status == 200, case .array(let rows)? = page.json["data"] else { throw TestFailure(page.body) }
                seen += rows.compactMap { $0["slug"]?.text }
                guard let next = page.json["next"]?.text else { break }
                let link = try #require(page["Link"])
                #expect(
                    link.hasSuffix("; rel=\"next\"") && link.contains("cursor=\(next)") && link.contains("limit=2"), "\(link)")
                path = "/v1/tenants?limit=2&cursor=\(next)"
                // Before the place where the list goes on, and behind it.
                if turn == 0 { for slug in ["a0", "t2b"] { try await stage.makeTenant(slug, token: token) } }
            }
            #expect(seen == ["t1", "t2", "t2b", "t3", "t4", "t5"])
            let first = try await stage.ask(.GET, "/v1/tenants?limit=1", token: token)
            let cursor = first.json["next"]?.text ?? ""
            let elsewhere = try await stage.ask(.GET, "/v1/tenants?state=active&cursor=\(cursor)", token: token)
            #expect(elsewhere.status == 400)
            let csv = try await stage.ask(.GET, "/v1/tenants?limit=2", token: token, headers: ["Accept": "text/csv"])
            #expect(
                csv.body.hasPrefix("slug,account,display_name,plan,") && csv.body.split(separator: "\r\n").count == 3,
                "\(csv.body)")
            let lines = try await stage.ask(.GET, "/v1/tenants", token: token, headers: ["Accept": "application/x-ndjson"])
            #expect(lines.body.split(separator: "\n").count == 7 && lines["Content-Type"] == "application/x-ndjson")
        }
    }

    @Test func `Who asks too often is told when to come again`() async throws {
        try await withAPI(options: .adjusted { $0.requestsPerMinute = 3 }) { stage in
            var answers: [APIStage.Response] = []
            for _ in 0..<4 { answers.append(try await stage.ask(.GET, "/v1/me", token: stage.fleet.operatorToken)) }
            #expect(answers.map(\.status) == [200, 200, 200, 429])
            #expect(answers[0]["RateLimit"]?.hasPrefix("\"default\";r=2;t=") == true, "\(answers[0].headers)")
            #expect(answers[3]["Retry-After"] != nil && answers[3].code == "rate_limited")
        }
    }

    @Test func `The OpenAPI document names every route, and takes no credential`() async throws {
        try await withAPI(startsWorker: false) { stage in
            let answer = try await stage.ask(.GET, "/v1/openapi.json")
            guard answer.status == 200, case .object(let paths)? = answer.json["paths"] else { throw TestFailure(answer.body) }
            for route in Routes.all {
                #expect(paths[route.path.text]?[route.method.rawValue.lowercased()] != nil, "\(route.name)")
            }
        }
    }
}
