internal import Contract
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// Who may send what, on whose tenant.
@Suite struct AuthorizationTests {
    enum Sender: Sendable, CaseIterable {
        case `operator`, fleet, account, unscoped
        case wideCorpus, wideLog, wideSettings, wideErase
        case ownCorpus, ownLog, ownSettings, ownErase

        var principal: Principal {
            switch self {
            case .operator: Principal(key: "k", role: .operator, account: "", tenant: nil, scopes: [])
            case .fleet: Principal(key: "k", role: .fleet, account: "", tenant: nil, scopes: [])
            case .account: Principal(key: "k", role: .account, account: "acme", tenant: nil, scopes: [])
            case .unscoped: Self.token(nil, [])
            case .wideCorpus: Self.token(nil, [.corpusWrite])
            case .wideLog: Self.token(nil, [.conversationWrite])
            case .wideSettings: Self.token(nil, [.settingsWrite])
            case .wideErase: Self.token(nil, [.conversationErase])
            case .ownCorpus: Self.token("shop", [.corpusWrite])
            case .ownLog: Self.token("shop", [.conversationWrite])
            case .ownSettings: Self.token("shop", [.settingsWrite])
            case .ownErase: Self.token("shop", [.conversationErase])
            }
        }

        private static func token(_ tenant: String?, _ scopes: Set<Scope>) -> Principal {
            Principal(key: "k", role: .token, account: "acme", tenant: tenant, scopes: scopes)
        }

        static let tokens: Set<Sender> = Set(allCases).subtracting([.operator, .fleet, .account])
    }

    /// Who may, by the contract's section 4.
    static let allowed: [String: Set<Sender>] = [
        "account.create": [.operator], "account.update": [.operator], "tenant.create": [.account],
        "token.issue": Sender.tokens.union([.account]), "token.revoke": Sender.tokens.union([.account]),
        "corpus.ingest": [.account, .wideCorpus, .ownCorpus], "corpus.remove": [.account, .wideCorpus, .ownCorpus],
        "conversation.log": [.account, .wideLog, .ownLog],
        "usage.aggregate": Sender.tokens.union([.operator, .fleet, .account]),
    ]

    private static func tenant(_ slug: String, of account: String) throws -> TenantRecord {
        TenantRecord(
            slug: slug, account: account, schema: try Identifier("tenant_" + slug), state: .active, timezone: "UTC",
            billingAnchorDay: 1,
            closedThrough: .distantPast, mayHaveHardFlowLimit: false)
    }

    @Test("A kind is open to those whom the contract names", arguments: Kind.all)
    func kinds(kind: Kind) throws {
        let expected = try #require(Self.allowed[kind.name])
        for sender in Sender.allCases {
            let refusal = sender.principal.refusal(of: kind, tenant: nil)
            #expect((refusal == nil) == expected.contains(sender), "\(sender)")
            if let refusal { #expect(refusal.code == .forbidden) }
        }
    }

    @Test(
        "An account works on its own tenants, a tenant's token on its own alone, and nobody on a stranger's", arguments: Kind.all)
    func tenants(kind: Kind) throws {
        let expected = try #require(Self.allowed[kind.name])
        let (own, sibling, stranger) = try (
            Self.tenant("shop", of: "acme"), Self.tenant("blog", of: "acme"), Self.tenant("elsewhere", of: "else")
        )
        for sender in Sender.allCases {
            let principal = sender.principal
            let isAllowed = expected.contains(sender)
            let isPlatform = sender == .operator || sender == .fleet
            #expect((principal.refusal(of: kind, tenant: own) == nil) == isAllowed, "\(sender), own")
            #expect(
                (principal.refusal(of: kind, tenant: sibling) == nil) == (isAllowed && principal.tenant == nil),
                "\(sender), sibling")
            #expect((principal.refusal(of: kind, tenant: stranger) == nil) == (isAllowed && isPlatform), "\(sender), stranger")
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
}
