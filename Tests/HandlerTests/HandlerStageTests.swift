internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// The stage that handlers are tested on.
@Suite struct HandlerStageTests {
    @Test("What a test does is there for its own jobs, and for no other test")
    func rolledBack() async throws {
        for _ in 0..<2 {
            try await HandlerStage.run { stage in
                #expect(try stage.number("select count(*) from tenantry.accounts") == 0)
                let acme = try stage.makeAccount("acme")
                try stage.makeTenant("shop", by: acme)
                let logged = try stage.ask("conversation.log", TestFleet.log(["m1", "m2"]), tenant: "shop", by: acme)
                #expect(logged.result == ["accepted": 2, "duplicates": 0])
                #expect(try stage.number("select count(*) from tenant_shop.messages") == 2)
            }
        }
    }

    @Test("A rejected job has left nothing, and the next one is done")
    func rejected() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme", plan: "small")
            for slug in ["one", "two", "six"] { try stage.makeTenant(slug, by: acme) }
            let fourth = try stage.ask("tenant.create", #"{"slug":"ten","display_name":"Ten"}"#, by: acme)
            #expect(fourth.error?.code == .limitReached)
            #expect(try stage.texts("select slug from tenantry.tenants order by slug") == ["one", "six", "two"])
            #expect(try stage.number("select count(*) from pg_namespace where nspname = 'tenant_ten'") == 0)
            let renamed = try stage.ask("tenant.update", #"{"display_name":"Two"}"#, tenant: "two", by: acme)
            #expect(renamed.result == ["tenant": "two", "changed": ["display_name"]])
        }
    }

    @Test("Who may not send a kind is refused, as by the fleet")
    func refused() async throws {
        try await HandlerStage.run { stage in
            let (acme, other) = (try stage.makeAccount("acme"), try stage.makeAccount("other"))
            try stage.makeTenant("shop", by: acme)
            let strange = try stage.ask("tenant.update", #"{"display_name":"Mine"}"#, tenant: "shop", by: other)
            #expect(strange.error?.code == .forbidden)
            let account = #"{"slug":"third","display_name":"Third","plan":"pro"}"#
            #expect(try stage.ask("account.create", account, by: acme).error?.code == .forbidden)
        }
    }
}
