internal import Contract
internal import Foundation
internal import NIOHTTP1
internal import People
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import API
@testable internal import Console

/// Signing in to the console, and what ends that.
@Suite struct SessionTests {
    private static let password = "correct horse battery"

    private func administrator(_ email: String, tenant: String? = nil, _ account: String, _ stage: APIStage) async throws {
        let path = tenant.map { "/v1/tenants/\($0)/admins" } ?? "/v1/admins"
        let role = tenant == nil ? "account_admin" : "tenant_admin"
        let made = try await stage.ask(
            .POST, path, #"{"email":"\#(email)","display_name":"A","role":"\#(role)","password":"\#(Self.password)"}"#,
            token: account)
        guard made.status == 201 else { throw TestFailure(made.body) }
    }

    @Test func `By password: what was typed stays when it is wrong, the cookie is the browser's alone, and signing out ends it`()
        async throws
    {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await administrator("ada@example.com", account, stage)
            let browser = Browser(stage)
            let first = try await browser.get("/usage?by=hour")
            #expect(first.status == 303 && first["Location"] == "/sign-in?next=%2Fusage%3Fby%3Dhour")
            let wrong = try await browser.post(
                "/sign-in", [("form", "password"), ("email", "ada@example.com"), ("password", "nonsense")])
            #expect(wrong.status == 401 && wrong.body.contains("value=\"ada@example.com\"") && wrong.text.contains("are wrong"))
            #expect(!wrong.body.contains("nonsense") && wrong["Set-Cookie"] == nil)
            let right = try await browser.post(
                "/sign-in",
                [("form", "password"), ("email", "ada@example.com"), ("password", Self.password), ("next", "/usage?by=hour")])
            #expect(right.status == 303 && right["Location"] == "/usage?by=hour", "\(right.body)")
            let set = try #require(right["Set-Cookie"])
            #expect(
                set.hasPrefix("tenantry=adm_") && set.contains("; HttpOnly") && set.contains("; SameSite=Lax")
                    && set.contains("Path=/;"))
            #expect(!set.contains("Secure") && !set.contains("Domain"))
            let page = try await browser.get("/")
            #expect(page.status == 200 && page.text.contains("ada@example.com"))
            #expect(page["Content-Security-Policy"] == ConsoleServer.contentSecurityPolicy && page["Cache-Control"] == "no-store")
            // A cookie is no credential of the API's.
            let below = try await browser.get("/v1/tenants", accept: "application/json")
            #expect(below.status == 401)
            // Of its secret the database has a digest.
            let secret = try #require(browser.cookie?.split(separator: ".").last)
            #expect(try stage.fleet.number("select count(*) from tenantry.credentials c where c::text like '%\(secret)%'") == 0)
            let kept = browser.cookie
            #expect(try await browser.post("/sign-out", []).status == 303)
            #expect(browser.cookie == nil)
            browser.cookie = kept
            #expect(try await browser.get("/").status == 303)
        }
    }

    @Test func `By a credential: a session of its own, which ends with the credential; nobody's secret is in a page`()
        async throws
    {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let token = try await stage.makeToken(["conversation:read"], tenant: "shop", token: account)
            let browser = Browser(stage)
            let wrong = try await browser.post("/sign-in", [("form", "credential"), ("credential", token + "x")])
            #expect(wrong.status == 401 && browser.cookie == nil && !wrong.body.contains(token))
            try await browser.signIn(token)
            #expect(browser.cookie?.hasPrefix("tenantry=con_") == true)
            #expect(try await browser.get("/").status == 303)
            #expect(try await browser.get("/tenants/shop").status == 200)
            #expect(try await browser.get("/tenants/shop/conversations").status == 200)
            #expect(try await browser.get("/tenants/shop/corpus").status == 403)
            #expect(try await browser.get("/tenants/shop/tokens").status == 403)
            let sessions = try await stage.ask(.GET, "/v1/sessions", token: account)
            #expect(sessions.body.contains("con_"))
            let key = try #require(token.split(separator: ".").first)
            #expect(try await stage.ask(.DELETE, "/v1/tenants/shop/tokens/\(key)", token: account).status == 200)
            try await eventually("the session ends with its token") { try await browser.get("/tenants/shop").status == 303 }
            // Nobody opens a session with a session's credential.
            try await browser.signIn(account)
            let own = try #require(browser.cookie).dropFirst("tenantry=".count)
            let again = Browser(stage)
            #expect(try await again.post("/sign-in", [("form", "credential"), ("credential", String(own))]).status == 401)
        }
    }

    @Test func `A session is in no list of tokens or operators, and what it hands on ends with whose it is`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let token = try await stage.makeToken(["conversation:read"], tenant: nil, token: account)
            for credential in [token, stage.fleet.operatorToken] { try await Browser(stage).signIn(credential) }
            let tokens = try await stage.ask(.GET, "/v1/tokens", token: account)
            #expect(tokens.json.items("data").count == 1 && !tokens.body.contains("con_"))
            #expect(try await stage.ask(.GET, "/v1/tokens/\(Self.sessionKey(stage))", token: account).status == 404)
            let operators = try OperatorCredential.list(on: &stage.fleet.database)
            #expect(!operators.contains { $0.key.hasPrefix("con_") })
            let made = try await stage.ask(
                .POST, "/v1/admins", #"{"email":"ada@example.com","display_name":"Ada","role":"account_admin"}"#, token: account)
            let credential = "\(made.json.text("key") ?? "").\(made.json.text("secret") ?? "")"
            let browser = Browser(stage)
            try await browser.signIn(credential)
            let issued = try await browser.post("/tokens/new", [("form", "form"), ("name", "hers"), ("scopes", "usage:read")])
            let shown = try #require(issued.body.firstMatch(of: /data-copy="(tok_[^"]+)"/)).1
            #expect(try await stage.ask(.GET, "/v1/me", token: String(shown)).status == 200)
            #expect(try await stage.ask(.DELETE, "/v1/admins/ada%40example.com", token: account).status == 200)
            try await eventually("what she has issued ends") {
                try await stage.ask(.GET, "/v1/me", token: String(shown)).status == 401
            }
            #expect(try await browser.get("/").status == 303)
        }
    }

    @Test func `What a token's session hands on is withdrawn with the token, also when the session is long over`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let token = try await stage.makeToken(["conversation:read"], tenant: nil, token: account)
            let browser = Browser(stage)
            try await browser.signIn(token)
            let issued = try await browser.post(
                "/tokens/new", [("form", "form"), ("name", "handed on"), ("scopes", "conversation:read")])
            let shown = String(try #require(issued.body.firstMatch(of: /data-copy="(tok_[^"]+)"/), "\(issued.text)").1)
            try stage.fleet.change("update tenantry.credentials set expires_at = now() where session_of is not null")
            // A new session takes away those of its credential that are over.
            try await browser.signIn(token)
            #expect(try await stage.ask(.GET, "/v1/me", token: shown).status == 200)
            let key = try #require(token.split(separator: ".").first)
            #expect(try await stage.ask(.DELETE, "/v1/tokens/\(key)", token: account).status == 200)
            try await eventually("it is withdrawn") { try await stage.ask(.GET, "/v1/me", token: shown).status == 401 }
        }
    }

    private static func sessionKey(_ stage: APIStage) throws -> String {
        try stage.fleet.texts("select key from tenantry.credentials where session_of is not null and role = 'token'").first ?? ""
    }

    @Test func `A session that is left alone ends after two hours, one that is used after twelve`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let browser = Browser(stage)
            try await browser.signIn(account)
            #expect(try await browser.get("/").status == 200)
            let key = try #require(browser.cookie?.dropFirst("tenantry=".count).split(separator: ".").first)
            let seconds = try stage.fleet.number(
                "select extract(epoch from expires_at - now())::int8 from tenantry.credentials where key = '\(key)'")
            #expect((12 * 3_600 - 60...12 * 3_600).contains(seconds))
            try stage.fleet.change(
                """
                update tenantry.credentials set created_at = now() - interval '3 hours' where key = '\(key)';
                update tenantry.credential_uses set last_used_at = now() - interval '119 minutes' where key = '\(key)'
                """)
            #expect(try await browser.get("/").status == 200)
            try stage.fleet.change(
                "update tenantry.credential_uses set last_used_at = now() - interval '121 minutes' where key = '\(key)'")
            #expect(try await browser.get("/").status == 303)
            #expect(
                try stage.fleet.number(
                    "select count(*) from tenantry.credentials where key = '\(key)' and revoked_at is not null") == 1)
            try await browser.signIn(account)
            let second = try #require(browser.cookie?.dropFirst("tenantry=".count).split(separator: ".").first)
            try stage.fleet.change("update tenantry.credentials set expires_at = now() where key = '\(second)'")
            try await eventually("it is over") { try await browser.get("/").status == 303 }
        }
    }

    @Test func `What another site sends is refused, whatever the browser tells of it`() async throws {
        try await withAPI(startsWorker: false, console: .init()) { stage in
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            let host = stage.origin.replacing("http://", with: "")
            let refused: [[String: String]] = [
                ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"],
                ["Sec-Fetch-Site": "", "Origin": "https://evil.example"],
                ["Sec-Fetch-Site": "cross-site", "Origin": stage.origin],
            ]
            for headers in refused {
                let answer = try await browser.send(
                    .POST, "/sessions", Array("key=x".utf8),
                    headers.filter { !$0.value.isEmpty }.merging(["Content-Type": "application/x-www-form-urlencoded"]) { $1 })
                #expect(answer.status == 403, "\(headers): \(answer.status)")
                #expect(answer.text.contains("another site"))
            }
            for headers in [["Sec-Fetch-Site": "same-origin"], ["Origin": "http://\(host)"], [:]] {
                let answer = try await browser.send(
                    .POST, "/sessions", Array("key=x".utf8),
                    headers.merging(["Content-Type": "application/x-www-form-urlencoded"]) { $1 })
                #expect(answer.status == 404, "\(headers): \(answer.status)")
            }
            let unsigned = Browser(stage)
            #expect(
                try await unsigned.post("/sign-in", [("form", "credential")], headers: ["Sec-Fetch-Site": "cross-site"]).status
                    == 403)
        }
    }

    @Test(arguments: [
        "//evil.example", "https://evil.example", "/\\evil.example", "/sign-out", "javascript:alert(1)", "/a\r\nSet-Cookie: x=y",
    ])
    func `Signing in leads to a page of this site, whatever the address says`(next: String) async throws {
        try await withAPI(startsWorker: false, console: .init()) { stage in
            let answer = try await Browser(stage).post(
                "/sign-in", [("form", "credential"), ("credential", stage.fleet.operatorToken), ("next", next)])
            #expect(answer.status == 303 && answer["Location"] == "/" && answer["x"] == nil)
        }
    }

    @Test func `An operator looks at an account as that account: with a reason, for an hour, on record at both sides`()
        async throws
    {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            _ = try await stage.makeAccount("other")
            try await stage.makeTenant("shop", token: account)
            let browser = Browser(stage)
            try await browser.signIn(stage.fleet.operatorToken)
            #expect(try await browser.get("/tenants/shop/conversations").status == 403)
            let empty = try await browser.post("/accounts/acme/look", [("form", "form"), ("reason", " ")])
            #expect(empty.status == 422 && empty.text.contains("Say why"))
            let begun = try await browser.post("/accounts/acme/look", [("form", "form"), ("reason", "ticket <4711>")])
            #expect(begun.status == 303)
            let page = try await browser.get("/tenants/shop/conversations")
            #expect(
                page.status == 200 && page.text.contains("You look at this account as its administrator")
                    && page.text.contains("ticket <4711>"))
            #expect(try await browser.get("/fleet").status == 403)
            #expect(try await browser.get("/accounts/other").status == 404)
            let key = try #require(browser.cookie?.dropFirst("tenantry=".count).split(separator: ".").first)
            #expect(
                try stage.fleet.number(
                    "select extract(epoch from expires_at - now())::int8 from tenantry.credentials where key = '\(key)'")
                    <= 3_600)
            let changed = try await browser.post("/tenants/shop/suspend", [("form", "form")])
            #expect(changed.status == 303, "\(changed.body)")
            let log = try await stage.ask(.GET, "/v1/audit", token: account)
            #expect(
                log.body.contains("operator.impersonate") && log.body.contains("ticket <4711>")
                    && log.body.contains("tenant.suspend"))
            let own = try await stage.ask(.GET, "/v1/audit?kind=operator.impersonate", token: stage.fleet.operatorToken)
            #expect(own.json.items("data").count == 2)
            // The account's credential is not theirs to make.
            let made = try await stage.ask(
                .POST, "/v1/jobs", #"{"kind":"account.rotate","payload":{}}"#,
                token: String(browser.cookie!.dropFirst(9).prefix { $0 != "~" }))
            #expect(made.status == 403, "\(made.body)")
            let ended = try await browser.post("/as", [])
            #expect(ended.status == 303 && ended["Location"] == "/accounts/acme")
            #expect(try await browser.get("/fleet").status == 200)
            #expect(
                try stage.fleet.number(
                    "select count(*) from tenantry.credentials where key = '\(key)' and revoked_at is not null") == 1)
            // Who is no operator looks as nobody.
            let customer = Browser(stage)
            try await customer.signIn(account)
            #expect(try await customer.post("/accounts/other/look", [("reason", "x")]).status == 404)
            #expect(try await customer.get("/accounts/acme/look").status == 404)
        }
    }

    @Test func `Too many wrong passwords are looked at no more`() async throws {
        try await withAPI(startsWorker: false, console: .init()) { stage in
            let browser = Browser(stage)
            for _ in 0..<10 {
                let answer = try await browser.post(
                    "/sign-in", [("form", "password"), ("email", "eve@example.com"), ("password", "guess")])
                #expect(answer.status == 401)
            }
            let last = try await browser.post(
                "/sign-in", [("form", "password"), ("email", "Eve@example.com"), ("password", "guess")])
            #expect(last.status == 429 && last.text.contains("Too many wrong passwords"))
        }
    }
}
