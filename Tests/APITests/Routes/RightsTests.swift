internal import Contract
internal import HTTPTypes
internal import NIOHTTP1
internal import TestSupport
internal import Testing

@testable internal import API

/// Who may what, route by route. The list here is written down by itself, so that a right which is changed by mistake is noticed.
@Suite struct RightsTests {
    /// O operator, A account, D account's administrator, T tenant's administrator, K token with every scope of its tenant, W the same of the
    /// whole account, N token that may read usage alone. A tenant's own credentials are asked on their own tenant.
    private static let allowed: [String: String] = [
        "GET /v1/me": "OADTKWN", "GET /v1/sessions": "OADTKWN", "DELETE /v1/session": "OADTKWN",
        "DELETE /v1/sessions/{key}": "OADTKWN", "POST /v1/jobs": "OADTKWN", "GET /v1/jobs/{id}": "OADTKWN",
        "GET /v1/accounts": "OAD", "POST /v1/accounts": "O", "GET /v1/accounts/{account}": "OAD",
        "PATCH /v1/accounts/{account}": "O", "GET /v1/plans": "OAD", "GET /v1/tenants": "OADTKWN", "POST /v1/tenants": "AD",
        "GET /v1/tenants/{slug}": "OADTKWN", "PATCH /v1/tenants/{slug}": "ADTKW", "DELETE /v1/tenants/{slug}": "AD",
        "POST /v1/tenants/{slug}/suspend": "AD", "POST /v1/tenants/{slug}/resume": "AD", "POST /v1/tenants/{slug}/restore": "AD",
        "POST /v1/tenants/{slug}/apply-template": "AD", "GET /v1/tenants/{slug}/settings": "ADTKW",
        "PATCH /v1/tenants/{slug}/settings": "ADTKW", "GET /v1/tenants/{slug}/documents": "ADTKW",
        "POST /v1/tenants/{slug}/documents": "ADTKW", "GET /v1/tenants/{slug}/documents/{external_id}": "ADTKW",
        "POST /v1/tenants/{slug}/documents/{external_id}": "ADTKW", "DELETE /v1/tenants/{slug}/documents/{external_id}": "ADTKW",
        "POST /v1/tenants/{slug}/search": "ADTKW", "GET /v1/tenants/{slug}/conversations": "ADTKW",
        "POST /v1/tenants/{slug}/conversations": "ADTKW", "DELETE /v1/tenants/{slug}/conversations": "ADTKW",
        "GET /v1/tenants/{slug}/conversations/{id}": "ADTKW", "DELETE /v1/tenants/{slug}/conversations/{id}": "ADTKW",
        "GET /v1/tenants/{slug}/conversations/{id}/messages": "ADTKW",
        "POST /v1/tenants/{slug}/conversations/{id}/messages": "ADTKW",
        "POST /v1/tenants/{slug}/conversations/{id}/feedback": "ADTKW", "GET /v1/tenants/{slug}/export": "AD",
        "GET /v1/tokens": "ADTKW", "POST /v1/tokens": "ADTKWN", "GET /v1/tokens/{key}": "ADTKW",
        "DELETE /v1/tokens/{key}": "ADTKWN",
        "GET /v1/tenants/{slug}/tokens": "ADTKW", "POST /v1/tenants/{slug}/tokens": "ADTKWN",
        "GET /v1/tenants/{slug}/tokens/{key}": "ADTKW", "DELETE /v1/tenants/{slug}/tokens/{key}": "ADTKWN",
        "GET /v1/admins": "ADT", "POST /v1/admins": "ADT", "GET /v1/admins/{email}": "ADT", "DELETE /v1/admins/{email}": "ADT",
        "GET /v1/tenants/{slug}/admins": "ADT", "POST /v1/tenants/{slug}/admins": "ADT",
        "GET /v1/tenants/{slug}/admins/{email}": "ADT", "DELETE /v1/tenants/{slug}/admins/{email}": "ADT",
        "GET /v1/templates": "AD", "POST /v1/templates": "AD", "GET /v1/templates/{name}": "AD",
        "DELETE /v1/templates/{name}": "AD",
        "GET /v1/webhooks": "AD",
        "POST /v1/webhooks": "AD",
        "GET /v1/webhooks/{id}": "AD",
        "PATCH /v1/webhooks/{id}": "AD",
        "DELETE /v1/webhooks/{id}": "AD",
        "POST /v1/webhooks/{id}/rotate": "AD",
        "POST /v1/webhooks/{id}/test": "AD",
        "POST /v1/webhooks/{id}/resend": "AD",
        "POST /v1/webhooks/{id}/recover": "AD",
        "GET /v1/webhooks/{id}/deliveries": "AD",
        "GET /v1/webhooks/{id}/deliveries/{delivery}": "AD",
        "GET /v1/tenants/{slug}/webhooks": "AD",
        "POST /v1/tenants/{slug}/webhooks": "AD",
        "GET /v1/tenants/{slug}/webhooks/{id}": "AD",
        "PATCH /v1/tenants/{slug}/webhooks/{id}": "AD",
        "DELETE /v1/tenants/{slug}/webhooks/{id}": "AD",
        "POST /v1/tenants/{slug}/webhooks/{id}/rotate": "AD",
        "POST /v1/tenants/{slug}/webhooks/{id}/test": "AD",
        "POST /v1/tenants/{slug}/webhooks/{id}/resend": "AD",
        "POST /v1/tenants/{slug}/webhooks/{id}/recover": "AD",
        "GET /v1/tenants/{slug}/webhooks/{id}/deliveries": "AD",
        "GET /v1/tenants/{slug}/webhooks/{id}/deliveries/{delivery}": "AD",
        "GET /v1/usage": "OADTKWN", "GET /v1/tenants/{slug}/usage": "OADTKWN", "GET /v1/alerts": "OAD", "GET /v1/invoices": "OAD",
        "GET /v1/invoices/{id}": "OAD", "GET /v1/audit": "OAD", "GET /v1/queues": "O", "GET /v1/workers": "O",
        "GET /v1/dead": "O", "GET /v1/dead/counts": "O", "GET /v1/dead/{letter}": "O", "GET /v1/attention": "OAD",
        "GET /v1/usage/tenants": "OADTKWN",
        "POST /v1/dead/replay": "O", "POST /v1/dead/discard": "O",
    ]

    /// A request of a route with nothing in it that could have an effect: its key for repeats, or else its parameter, cannot be read, which is looked
    /// at after the right.
    private func ask(_ route: Route, slug: String, account: String, token: String, _ stage: APIStage) async throws
        -> APIStage.Response
    {
        let path = route.path.text.replacing("{slug}", with: slug).replacing("{account}", with: account)
            .replacing("{external_id}", with: "none").replacing("{id}", with: "none").replacing("{key}", with: "none")
            .replacing("{email}", with: "nobody@example.com").replacing("{letter}", with: "none").replacing(
                "{name}", with: "none"
            ).replacing(
                "{delivery}", with: "none")
        return try await stage.ask(
            NIOHTTP1.HTTPMethod(rawValue: route.method.rawValue), path + "?no=such", token: token)
    }

    @Test func `Every route lets pass whom it should, and nobody else; another's tenant is as one that is not there`()
        async throws
    {
        try await withAPI { stage in
            let account = try await stage.makeAccount("rights")
            let other = try await stage.makeAccount("strangers")
            for tenant in ["own", "sibling"] { try await stage.makeTenant(tenant, token: account) }
            try await stage.makeTenant("strange", token: other)
            let scopes = Scope.allCases.map(\.rawValue)
            let credentials: [(letter: Character, token: String)] = [
                ("O", stage.fleet.operatorToken), ("A", account), ("D", try await administrator(nil, account, stage)),
                ("T", try await administrator("own", account, stage)),
                ("K", try await stage.makeToken(scopes, tenant: "own", token: account)),
                ("W", try await stage.makeToken(scopes, tenant: nil, token: account)),
                ("N", try await stage.makeToken(["usage:read"], tenant: "own", token: account)),
            ]
            for route in Routes.all {
                if case .open = route.right { continue }
                let allowed = try #require(Self.allowed[route.name], "\(route.name) is in no list of rights")
                for (letter, token) in credentials {
                    let passes = allowed.contains(letter)
                    let own = try await ask(route, slug: "own", account: "rights", token: token, stage)
                    #expect(
                        passes ? own.status == 400 : own.status == 403,
                        "\(letter) \(route.name) on its own: \(own.status) \(own.body)")
                    guard route.isOfTenant, letter != "O" else { continue }
                    let sibling = try await ask(route, slug: "sibling", account: "rights", token: token, stage)
                    let isLimited = "TKN".contains(letter)
                    #expect(
                        isLimited ? sibling.status == 404 : sibling.status == own.status,
                        "\(letter) \(route.name) on a sibling: \(sibling.status)")
                    let strange = try await ask(route, slug: "strange", account: "rights", token: token, stage)
                    let missing = try await ask(route, slug: "missing", account: "rights", token: token, stage)
                    #expect(strange.status == 404, "\(letter) \(route.name) on a stranger's: \(strange.status)")
                    #expect(
                        strange.body.replacing("strange", with: "missing") == missing.body,
                        "\(letter) \(route.name): \(strange.body) and \(missing.body)")
                }
                let nobody = try await ask(route, slug: "own", account: "rights", token: "no.body", stage)
                #expect(nobody.status == 401 && nobody["WWW-Authenticate"] == "Bearer", "\(route.name): \(nobody.status)")
            }
            #expect(Set(Self.allowed.keys).subtracting(Routes.all.map(\.name)) == [])
            let strangers = try await stage.ask(.GET, "/v1/accounts/strangers", token: account)
            #expect(strangers.status == 404 && strangers.code == "account_unknown")
        }
    }

    private func administrator(_ tenant: String?, _ token: String, _ stage: APIStage) async throws -> String {
        let path = tenant.map { "/v1/tenants/\($0)/admins" } ?? "/v1/admins"
        let role = tenant == nil ? "account_admin" : "tenant_admin"
        let made = try await stage.ask(
            .POST, path, #"{"email":"a@example.com","display_name":"A","role":"\#(role)"}"#, token: token)
        guard made.status == 201, let key = made.json["key"]?.text, let secret = made.json["secret"]?.text else {
            throw TestFailure("administrator: \(made.status) \(made.body)")
        }
        return "\(key).\(secret)"
    }
}
