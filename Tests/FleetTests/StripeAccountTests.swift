internal import Contract
internal import TestSupport
internal import Testing

/// A Stripe account is one account's alone: the platform's key acts for whichever one a tenant names.
@Suite(.serialized) struct StripeAccountTests {
    @Test(
        "A Stripe account that another account's tenant has is refused, in whichever way it is asked for; until that one lets go of it"
    )
    func foreign() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let (acme, globex) = (try fleet.makeAccount("acme"), try fleet.makeAccount("globex"))
        try fleet.makeTenant("acme-a", token: acme, #","stripe_account":"acct_1""#)
        // Its own account may have it twice.
        try fleet.makeTenant("acme-b", token: acme)
        let own = try fleet.ask("tenant.update", #"{"stripe_account":"acct_1"}"#, tenant: "acme-b", token: acme)
        #expect(own.result?["changed"] == ["stripe_account"], "\(own)")
        try fleet.makeTenant("globex-a", token: globex, #","stripe_account":"acct_2""#)

        func expectRefused(_ error: (code: ErrorCode?, field: String?), at field: String) {
            #expect(error.code == .forbidden && error.field == field, "\(error)")
        }
        let created = try fleet.ask(
            "tenant.create", #"{"slug":"globex-b","display_name":"B","stripe_account":"acct_1"}"#, token: globex)
        expectRefused((created.error?.code, created.error?.field), at: "/stripe_account")
        let updated = try fleet.ask(
            "tenant.update", #"{"display_name":"A","stripe_account":"acct_1"}"#, tenant: "globex-a", token: globex)
        expectRefused((updated.error?.code, updated.error?.field), at: "/stripe_account")
        let tenants = ["acct_1", "acct_3"].enumerated().map {
            #"{"slug":"globex-m\#($0)","display_name":"M","stripe_account":"\#($1)"}"#
        }
        let many = try fleet.ask("tenant.create_many", #"{"tenants":[\#(tenants.joined(separator: ","))]}"#, token: globex)
        guard case .array(let outcomes)? = many.result?["tenants"], outcomes.count == 2 else { throw TestFailure("\(many)") }
        #expect(outcomes.map { $0["status"] } == ["rejected", "created"])
        #expect(outcomes[0]["error"]?["code"] == "forbidden" && outcomes[0]["error"]?["field"] == "/tenants/0/stripe_account")
        let listed = "select slug || ' ' || stripe_account from tenantry.tenants where account = 'globex' order by slug"
        #expect(try fleet.texts(listed) == ["globex-a acct_2", "globex-m1 acct_3"])

        // Archived it is still acme-a's; purged it is nobody's.
        _ = try fleet.ask("tenant.update", #"{"stripe_account":null}"#, tenant: "acme-b", token: acme)
        for (mode, isFree) in [("archive", false), ("purge", true)] {
            let deleted = try fleet.ask("tenant.delete", #"{"mode":"\#(mode)"}"#, tenant: "acme-a", token: acme)
            #expect(deleted.status == .succeeded, "\(deleted)")
            let asked = try fleet.ask("tenant.update", #"{"stripe_account":"acct_1"}"#, tenant: "globex-a", token: globex)
            #expect((asked.status == .succeeded) == isFree, "\(asked)")
        }
        await fleet.stop()
    }
}
