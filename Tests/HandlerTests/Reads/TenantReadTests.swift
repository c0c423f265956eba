internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Tenants

/// What is read of tenants.
@Suite struct TenantReadTests {
    private func slugs(
        _ stage: HandlerStage, account: String? = nil, state: TenantState? = nil, plan: String? = nil, environment: String? = nil,
        part: String? = nil, isIdle: Bool? = nil, after position: [String]? = nil, limit: Int = 50
    ) throws -> [String] {
        try stage.withDatabase {
            try TenantSummary.page(
                account: account, state: state, plan: plan, environment: environment, part: part, isIdle: isIdle, idleHours: 24,
                after: position, limit: limit, on: &$0)
        }.map(\.slug)
    }

    @Test("A tenant is shown with its own limits, as it was made")
    func item() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("acme-shop", by: acme, #","environment":"staging","limits":{"messages":7,"tokens":null}"#)
            let tenant = try #require(try stage.withDatabase { try TenantSummary.find("acme-shop", on: &$0) })
            let json = TenantSummary.representation.json(tenant)
            #expect(json["slug"] == "acme-shop" && json["account"] == "acme" && json["display_name"] == "acme-shop")
            #expect(json["plan"] == .null && json["environment"] == "staging" && json["state"] == "active")
            #expect(json["billing_mode"] == "consolidated" && json["schema"] == "tenant_acme_shop")
            #expect(json["limits"] == ["messages": 7, "tokens": .null] && json["purge_at"] == .null)
            #expect(json["created_at"] == .string(tenant.createdAt.rfc3339) && json["last_active_at"] == nil)
            #expect(TenantSummary.listRepresentation.json(tenant)["last_active_at"] == .null)
        }
    }

    @Test("Each filter lets through what it says")
    func filters() async throws {
        try await HandlerStage.run { stage in
            let (acme, other) = (try stage.makeAccount("acme"), try stage.makeAccount("other", plan: "enterprise-plus"))
            try stage.makeTenant("acme-a", by: acme)
            try stage.makeTenant("acme-b", by: acme, #","plan":"pro","environment":"staging""#)
            try stage.makeTenant("acme-c", by: acme)
            try stage.makeTenant("other-a", by: other)
            try stage.run("update tenantry.tenants set state = 'suspended' where slug = 'acme-b'")
            try stage.run("update tenantry.tenants set state = 'purged' where slug = 'acme-c'")
            #expect(try slugs(stage) == ["acme-a", "acme-b", "other-a"])
            #expect(try slugs(stage, account: "acme") == ["acme-a", "acme-b"])
            #expect(try slugs(stage, state: .suspended) == ["acme-b"])
            #expect(try slugs(stage, state: .purged) == ["acme-c"])
            #expect(try slugs(stage, plan: "enterprise") == ["acme-a"], "the account's plan counts where a tenant has none")
            #expect(try slugs(stage, plan: "pro") == ["acme-b"])
            #expect(try slugs(stage, environment: "staging") == ["acme-b"])
            #expect(try slugs(stage, account: "acme", part: "-A") == ["acme-a"])
            #expect(try slugs(stage, account: "nobody's") == [])
        }
    }

    @Test("A part of a name is taken as it stands", arguments: ["100%", #"a\b"#, "a_b", "o'clock", #"say "hi""#, "Ünï"])
    func part(name: String) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            for (slug, displayName) in [("one", "x \(name.lowercased()) y"), ("two", "100 aXb o clock say hi Uni")] {
                try stage.makeTenant(slug, by: acme)
                let body = String(decoding: JSONValue.object(["display_name": .string(displayName)]).serialised(), as: UTF8.self)
                #expect(try stage.ask("tenant.update", body, tenant: slug, by: acme).status == .succeeded)
            }
            #expect(try slugs(stage, part: name) == ["one"])
        }
    }

    @Test("Idle is who has had no user message for so long, and waits for what is not recounted yet")
    func idle() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            for slug in ["fresh", "idle", "spoken", "unread"] { try stage.makeTenant(slug, by: acme) }
            try stage.run(
                """
                update tenantry.tenants set created_at = now() - interval '2 days' where slug <> 'fresh';
                update tenantry.tenants set last_active_at = now() - interval '1 hour' where slug = 'spoken';
                update tenantry.accounts set recounted_at = now() - interval '1 minute';
                update tenantry.tenant_usage set changed_at = now() - interval '1 hour';
                """)
            _ = try stage.ask("conversation.log", TestFleet.log(["m1"]), tenant: "unread", by: acme)
            #expect(try slugs(stage, isIdle: true) == ["idle"])
            #expect(try slugs(stage, isIdle: false) == ["fresh", "spoken", "unread"])
        }
    }

    @Test("Pages stay right while tenants come and go", arguments: [1, 2])
    func paging(limit: Int) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme", plan: "enterprise-plus")
            let slugs = ["t-b", "t-c", "t-d", "t-e", "t-f"]
            for slug in slugs { try stage.makeTenant(slug, by: acme) }
            var isChanged = false
            let seen: [TenantSummary] = try pages(of: limit, position: \.position) { rows in
                guard !isChanged, rows.count == 2 else { return }
                isChanged = true
                // One before the place, one behind it; the row of the place itself goes.
                for slug in ["t-a", "t-da"] { try stage.makeTenant(slug, by: acme) }
                try stage.run("update tenantry.tenants set state = 'purged' where slug in ('t-c', 't-e')")
            } page: { position, limit in
                try stage.withDatabase { try TenantSummary.page(account: "acme", after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.slug) == ["t-b", "t-c", "t-d", "t-da", "t-f"])
        }
    }

    @Test("An entity tag changes with what is shown, and is the same for who reads and who writes")
    func etags() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme, #","settings":{"tone":"warm","hours":{"mon":[9,17]}}"#)
            func tag() throws -> String? { try stage.withDatabase { try TenantSummary.currentETag("shop", on: &$0) } }
            func settingsTag() throws -> String {
                try stage.withDatabase { try SettingsRead.currentETag(in: Identifier("tenant_shop"), on: &$0) }
            }
            let (tenant, settings) = (try #require(try tag()), try settingsTag())
            #expect(tenant.count == 32 && tenant.allSatisfy { $0.isHexDigit && !$0.isUppercase })
            #expect(try stage.withDatabase { try TenantSummary.find("shop", on: &$0) }?.etag == tenant)
            try stage.run("update tenantry.tenants set last_active_at = now()")
            #expect(try tag() == tenant, "traffic changes nothing that people change")
            _ = try stage.ask("tenant.update", #"{"settings":{"tone":null}}"#, tenant: "shop", by: acme)
            #expect(try settingsTag() != settings)
            let shown = try stage.withDatabase { try SettingsRead.find(in: Identifier("tenant_shop"), on: &$0) }
            #expect(shown == ["hours": ["mon": [9, 17]]])
            _ = try stage.ask("tenant.update", #"{"limits":{"messages":5}}"#, tenant: "shop", by: acme)
            #expect(try tag() != tenant)
            #expect(try stage.withDatabase { try TenantSummary.currentETag("nobody", on: &$0) } == nil)
        }
    }
}
