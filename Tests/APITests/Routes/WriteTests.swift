internal import Contract
internal import NIOHTTP1
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import API

/// Writes are jobs: sent once, answered as over AMQP.
@Suite struct WriteTests {
    @Test func `The same request under the same key has one effect, by HTTP or by AMQP; another one is a conflict`() async throws
    {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            let body = #"{"slug":"shop","display_name":"Shop"}"#
            let first = try await stage.ask(.POST, "/v1/tenants", body, token: token, headers: ["Idempotency-Key": "k1"])
            #expect(
                first.status == 201 && first["Location"] == "/v1/tenants/shop" && first["Idempotency-Key"] == "k1",
                "\(first.body)")
            #expect(first["Idempotency-Replayed"] == nil)
            let second = try await stage.ask(.POST, "/v1/tenants", body, token: token, headers: ["Idempotency-Key": "k1"])
            #expect(second.status == 201 && second["Idempotency-Replayed"] == "true" && second.body == first.body)
            try stage.fleet.send("tenant.create", body, token: token, id: "k1")
            let third = try stage.fleet.answer(to: "k1")
            #expect(third.duplicate && third.status == .succeeded)
            let other = try await stage.ask(
                .POST, "/v1/tenants", #"{"slug":"shop2","display_name":"Shop"}"#, token: token, headers: ["Idempotency-Key": "k1"]
            )
            #expect(other.status == 409 && other.code == "conflict", "\(other.body)")
            let taken = try await stage.ask(.POST, "/v1/tenants", body, token: token)
            #expect(taken.status == 409 && taken.code == "slug_taken")
            let job = try await stage.ask(.GET, "/v1/jobs/k1", token: token)
            #expect(job.json["status"] == "succeeded" && job.json["result"]?["tenant"] == "shop", "\(job.body)")
        }
    }

    @Test func `Who does not wait is told where the job's outcome will be; a rejection is kept, too`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme", plan: "pro")
            func send(_ slug: String, _ key: String) async throws -> APIStage.Response {
                try await stage.ask(
                    .POST, "/v1/tenants", #"{"slug":"\#(slug)","display_name":"Shop"}"#, token: token,
                    headers: ["Idempotency-Key": key, "Prefer": "wait=0"])
            }
            func outcome(_ key: String) async throws -> JSONValue {
                for _ in 0..<600 {
                    let job = try await stage.ask(.GET, "/v1/jobs/\(key)", token: token)
                    guard job.status == 200 else { throw TestFailure(job.body) }
                    if job.json["status"] != "pending" { return job.json }
                    try await Task.sleep(for: .milliseconds(50))
                }
                throw TestFailure("\(key) is pending")
            }
            let first = try await send("one", "k1")
            #expect(
                first.status == 202 && first["Location"] == "/v1/jobs/k1" && first["Preference-Applied"] == "wait=0",
                "\(first.body)")
            #expect(try await outcome("k1")["status"] == "succeeded")
            _ = try await send("two", "k2")
            let rejected = try await outcome("k2")
            #expect(rejected["status"] == "rejected" && rejected["error"]?["code"] == "limit_reached", "\(rejected)")
            let stranger = try await stage.makeAccount("other")
            #expect(try await stage.ask(.GET, "/v1/jobs/k1", token: stranger).status == 404)
        }
    }

    @Test func `A secret is shown in the 201 alone`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            let body = #"{"name":"bot","scopes":["usage:read"]}"#
            let headers = ["Idempotency-Key": "k1", "Prefer": "wait=0"]
            let made = try await stage.ask(.POST, "/v1/tokens", body, token: token, headers: headers)
            let secret = try #require(made.json["secret"]?.text, "\(made.body)")
            #expect(made.status == 201)
            let again = try await stage.ask(.POST, "/v1/tokens", body, token: token, headers: headers)
            let job = try await stage.ask(.GET, "/v1/jobs/k1", token: token)
            let list = try await stage.ask(.GET, "/v1/tokens", token: token)
            for answer in [again, job, list] { #expect(answer.status < 300 && !answer.body.contains(secret), "\(answer.body)") }
            #expect(try stage.fleet.database.query("select 1 from tenantry.http_jobs where result::text like '%secret%'").isEmpty)
            let location = try #require(made["Location"])
            let revoked = try await stage.ask(.DELETE, location, token: token)
            #expect(revoked.status == 200)
            let dead = "\(made.json["key"]?.text ?? "").\(secret)"
            #expect(try await stage.ask(.GET, "/v1/me", token: dead).status == 401)
        }
    }

    @Test func `From an account to a question asked of a document and an erased conversation`() async throws {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            let list = (1...3).map { #"{"slug":"shop-\#($0)","display_name":"Shop \#($0)"}"# }.joined(separator: ",")
            let many = try await stage.ask(.POST, "/v1/tenants", #"{"tenants":[\#(list)]}"#, token: token)
            #expect(many.status == 200, "\(many.body)")
            let yaml = "tenants:\n  - slug: shop-4\n    display_name: Shop 4\n  - slug: shop-1\n    display_name: Shop 1\n"
            let more = try await stage.ask(
                .POST, "/v1/tenants", yaml, token: token, headers: ["Content-Type": "application/yaml"])
            guard case .array(let outcomes)? = more.json["tenants"] else { throw TestFailure(more.body) }
            #expect(outcomes.map { $0["status"] } == ["created", "exists"])
            let file = try await stage.ask(
                .POST, "/v1/tenants/shop-1/documents/opening%2Fhours?title=Hours&tags=a,b", "We open at nine in the morning.",
                token: token,
                headers: ["Content-Type": "text/plain"])
            #expect(file.status == 201 && file["Location"] == "/v1/tenants/shop-1/documents/opening%2Fhours", "\(file.body)")
            let rows =
                "title,content,tags\r\nReturns,\"Within 30 days, with the receipt\",x;y\r\nShipping,Free from 50 francs on,\r\n"
            let csv = try await stage.ask(
                .POST, "/v1/tenants/shop-1/documents?rows=true", rows, token: token, headers: ["Content-Type": "text/csv"])
            #expect(csv.status == 201, "\(csv.body)")
            let document = try await stage.ask(.GET, "/v1/tenants/shop-1/documents/opening%2Fhours", token: token)
            #expect(
                document.json["title"] == "Hours" && document.json["state"] == "ready" && document["ETag"] != nil,
                "\(document.body)")
            let tag = try #require(document["ETag"])
            let unchanged = try await stage.ask(
                .GET, "/v1/tenants/shop-1/documents/opening%2Fhours", token: token, headers: ["If-None-Match": tag])
            #expect(unchanged.status == 304)
            let found = try await stage.ask(.POST, "/v1/tenants/shop-1/search", #"{"query":"receipt"}"#, token: token)
            guard case .array(let hits)? = found.json["data"] else { throw TestFailure(found.body) }
            #expect(hits.first?["title"] == "Returns")
            let vector = try await stage.ask(.POST, "/v1/tenants/shop-1/search", #"{"query":"x","mode":"vector"}"#, token: token)
            #expect(vector.status == 400)
            let message = #"{"id":"m1","role":"user","user_id":"u1","content":"hello","sent_at":"2026-11-01T10:00:00Z"}"#
            let logged = try await stage.ask(
                .POST, "/v1/tenants/shop-1/conversations", #"{"conversation_id":"c 1","messages":[\#(message)]}"#, token: token)
            #expect(logged.status == 201 && logged["Location"] == "/v1/tenants/shop-1/conversations/c%201", "\(logged.body)")
            let messages = try await stage.ask(.GET, "/v1/tenants/shop-1/conversations/c%201/messages", token: token)
            guard case .array(let told)? = messages.json["data"] else { throw TestFailure(messages.body) }
            #expect(told.map { $0["content"] } == ["hello"])
            let usage = try await stage.ask(.GET, "/v1/tenants/shop-1/usage?metric=messages&period=2026-11", token: token)
            guard case .array(let metrics)? = usage.json["metrics"] else { throw TestFailure(usage.body) }
            #expect(metrics.count == 1 && metrics[0]["metric"] == "messages", "\(usage.body)")
            let export = try await stage.ask(.GET, "/v1/tenants/shop-1/export", token: token)
            #expect(export.status == 200 && export.body.split(separator: "\n").last?.contains("\"end\"") == true)
            let erased = try await stage.ask(.DELETE, "/v1/tenants/shop-1/conversations?user_id=u1", token: token)
            #expect(erased.status == 200, "\(erased.body)")
            let gone = try await stage.ask(.GET, "/v1/tenants/shop-1/conversations/c%201", token: token)
            #expect(gone.status == 404)
            let purged = try await stage.ask(.DELETE, "/v1/tenants/shop-4?mode=purge", token: token)
            #expect(purged.status == 200, "\(purged.body)")
            #expect(try await stage.ask(.GET, "/v1/tenants/shop-4", token: token).status == 404)
        }
    }

    @Test func `Signing in makes a session that is listed and ended; wrong passwords are answered alike and then throttled`()
        async throws
    {
        try await withAPI { stage in
            let token = try await stage.makeAccount("acme")
            let made = try await stage.ask(
                .POST, "/v1/admins",
                #"{"email":"ann@example.com","display_name":"Ann","role":"account_admin","password":"correct horse battery"}"#,
                token: token)
            #expect(made.status == 201, "\(made.body)")
            func signIn(_ email: String, _ password: String) async throws -> APIStage.Response {
                try await stage.ask(.POST, "/v1/session", #"{"email":"\#(email)","password":"\#(password)"}"#)
            }
            let session = try await signIn("ann@example.com", "correct horse battery")
            guard session.status == 201, let key = session.json["key"]?.text, let secret = session.json["secret"]?.text else {
                throw TestFailure(session.body)
            }
            let mine = "\(key).\(secret)"
            let me = try await stage.ask(.GET, "/v1/me", token: mine)
            #expect(me.json["role"] == "account_admin" && me.json["account"] == "acme")
            let sessions = try await stage.ask(.GET, "/v1/sessions", token: mine)
            guard case .array(let rows)? = sessions.json["data"] else { throw TestFailure(sessions.body) }
            #expect(rows.map { $0["key"] } == [.string(key)])
            let wrong = try await signIn("ann@example.com", "wrong")
            let unknown = try await signIn("bob@example.com", "wrong")
            #expect(wrong.status == 401 && unknown.status == 401 && wrong.body == unknown.body)
            #expect(try await stage.ask(.DELETE, "/v1/session", token: mine).status == 204)
            #expect(try await stage.ask(.GET, "/v1/me", token: mine).status == 401)
            for _ in 0..<9 { _ = try await signIn("ann@example.com", "wrong") }
            let throttled = try await signIn("ann@example.com", "correct horse battery")
            #expect(throttled.status == 429 && throttled["Retry-After"] != nil, "\(throttled.body)")
        }
    }
}
