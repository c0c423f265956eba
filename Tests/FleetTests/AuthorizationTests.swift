internal import Contract
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet
@testable internal import Jobs

/// Who may send what, on whose tenant.
@Suite struct AuthorizationTests {
    private static func tenant(_ place: AuthorizationSender.Place) throws -> TenantRecord {
        TenantRecord(
            slug: place.rawValue, account: place == .stranger ? "else" : "acme", schema: try Identifier("tenant_x"),
            state: .active,
            timezone: "UTC", billingAnchorDay: 1, closedThrough: .distantPast, meteredFrom: .distantPast,
            mayHaveHardFlowLimit: false)
    }

    @Test(
        "A kind is open to those whom the contract names: an account on its own tenants, a tenant's own on that one, nobody on a stranger's",
        arguments: Kind.all)
    func kinds(kind: Kind) throws {
        #expect(AuthorizationSender.allowed[kind.name] != nil, "the table names every kind")
        for sender in AuthorizationSender.allCases {
            let anywhere = sender.principal.refusal(of: kind, tenant: nil)
            #expect((anywhere == nil) == sender.may(send: kind, to: nil), "\(sender)")
            if let anywhere { #expect(anywhere.code == .forbidden) }
            for place in AuthorizationSender.Place.allCases {
                let refusal = sender.principal.refusal(of: kind, tenant: try Self.tenant(place))
                #expect((refusal == nil) == sender.may(send: kind, to: place), "\(sender), \(place)")
            }
        }
    }

    @Test("Tokens reach as far as they were issued for, end to end, and hand on no more than they have")
    func endToEnd() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        for (slug, token) in [("shop", acme), ("blog", acme), ("foreign", stranger)] { try fleet.makeTenant(slug, token: token) }
        let wide = try fleet.makeToken(["conversation:write"], tenant: nil, token: acme)
        let narrow = try fleet.makeToken(["conversation:write"], tenant: "shop", token: acme)
        let corpus = try fleet.makeToken(["corpus:write"], tenant: "shop", token: acme)
        let reach: [(token: String, tenant: String, isAllowed: Bool)] = [
            (acme, "shop", true), (acme, "blog", true), (acme, "foreign", false), (wide, "shop", true), (wide, "blog", true),
            (wide, "foreign", false), (narrow, "shop", true), (narrow, "blog", false), (narrow, "foreign", false),
            (corpus, "shop", false),
            (stranger, "foreign", true), (stranger, "shop", false), (fleet.operatorToken, "shop", false),
        ]
        for (index, row) in reach.enumerated() {
            let answer = try fleet.ask("conversation.log", TestFleet.log(["\(index)"]), tenant: row.tenant, token: row.token)
            #expect(answer.error?.code == (row.isAllowed ? nil : .forbidden), "\(index): \(answer)")
        }
        let more = try fleet.ask("token.issue", #"{"name":"more","scopes":["conversation:write","corpus:write"]}"#, token: narrow)
        #expect(more.error?.code == .forbidden && more.error?.field == "/scopes")
        // Without the header, a tenant's token still issues for its tenant alone.
        let child = try fleet.makeToken(["conversation:write"], tenant: nil, token: narrow)
        #expect(try fleet.ask("conversation.log", TestFleet.log(["x"]), tenant: "blog", token: child).error?.code == .forbidden)
        let key = String(wide.split(separator: ".")[0])
        let revoked = try fleet.ask("token.revoke", #"{"key":"\#(key)"}"#, token: narrow)
        #expect(revoked.error?.code == .invalidPayload, "a tenant's token withdraws no account-wide one")
        await fleet.stop()
    }

    @Test("A tenant's own change its settings and nothing else of it")
    func settingsOnly() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let person = #"{"email":"a@x.ch","display_name":"A","role":"tenant_admin"}"#
        let made = try fleet.ask("admin.create", person, tenant: "shop", token: account)
        guard case .string(let key)? = made.result?["key"], case .string(let secret)? = made.result?["secret"] else {
            throw TestFailure("\(made)")
        }
        let token = try fleet.makeToken(["settings:write"], tenant: nil, token: account)
        for sender in ["\(key).\(secret)", token] {
            let settings = try fleet.ask("tenant.update", #"{"settings":{"tone":"kind"}}"#, tenant: "shop", token: sender)
            #expect(settings.status == .succeeded, "\(settings)")
            for (field, value) in [
                ("display_name", "\"Mine\""), ("plan", "\"enterprise-plus\""), ("billing_mode", "\"separate\""),
                ("limits", #"{"messages":null}"#),
            ] {
                let body = #"{"settings":{"tone":"rude"},"\#(field)":\#(value)}"#
                let answer = try fleet.ask("tenant.update", body, tenant: "shop", token: sender)
                #expect(answer.error?.code == .forbidden && answer.error?.field == "/\(field)", "\(answer)")
            }
        }
        #expect(try fleet.texts("select value #>> '{}' from tenant_shop.settings") == ["kind"])
        #expect(try fleet.texts("select display_name from tenantry.tenants") == ["shop"])
        await fleet.stop()
    }

    @Test("A revoked token stops working within 30 seconds, under a worker that knows it")
    func revocation() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let token = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        func use() throws -> ErrorCode? {
            try fleet.ask("conversation.log", TestFleet.log([TestFleet.newID()]), tenant: "shop", token: token).error?.code
        }
        #expect(try use() == nil)
        #expect(try fleet.ask("token.revoke", #"{"name":"test"}"#, tenant: "shop", token: account).status == .succeeded)
        try await eventually("the token is refused", within: 30) { try use() == .unauthenticated }
        await fleet.stop()
    }

    @Test("Of a suspended account nothing is taken, whoever of it sends it; an operator and other accounts go on")
    func suspendedAccount() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let other = try fleet.makeAccount("else")
        try fleet.makeTenant("shop", token: account)
        let token = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        func log(_ sender: String) throws -> Rejection? {
            try fleet.ask("conversation.log", TestFleet.log([TestFleet.newID()]), tenant: "shop", token: sender).error
        }
        for sender in [account, token] { #expect(try log(sender) == nil) }
        try fleet.database.run(script: "update tenantry.accounts set state = 'suspended' where slug = 'acme'")
        for sender in [account, token] {
            let refusal = try #require(try log(sender))
            #expect(refusal.code == .forbidden && refusal.message == "account acme is suspended")
        }
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).error?.code == .forbidden)
        #expect(try fleet.ask("usage.aggregate", "{}", token: other).status == .succeeded)
        let update = #"{"account":"acme","limits":{"messages":7000}}"#
        #expect(try fleet.ask("account.update", update, token: fleet.operatorToken).status == .succeeded)
        try fleet.database.run(script: "update tenantry.accounts set state = 'active' where slug = 'acme'")
        for sender in [account, token] { #expect(try log(sender) == nil) }
        await fleet.stop()
    }
}
