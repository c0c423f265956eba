internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

@Suite("Ids of messages") struct ConversationIDTests {
    @Test("that differ by Unicode's normal form are two messages, two rows and two in every count")
    func normalForms() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
            _ = try stage.ask("conversation.log", TestFleet.log(["m0"]), tenant: "shop", by: acme)
            // One that was there before makes the count go by ids.
            let logged = try stage.ask(
                "conversation.log", TestFleet.log(["m0", composed, decomposed], user: composed), tenant: "shop", by: acme)
            #expect(logged.result?["accepted"] == 2)
            #expect(logged.result?["duplicates"] == 1)
            _ = try stage.ask("conversation.log", TestFleet.log(["m1"], user: decomposed), tenant: "shop", by: acme)
            #expect(try stage.number("select count(*) from tenant_shop.messages") == 4)
            #expect(try stage.number("select count(distinct user_id) from tenant_shop.messages") == 3)
            #expect(try stage.number("select active_users from tenantry.tenant_usage where tenant = 'shop'") == 3)
        }
    }
}
