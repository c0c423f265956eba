internal import Accounts
internal import Contract
internal import TestSupport
internal import Testing

/// A Stripe account is the account's that an operator has granted it to: the platform's key acts for whichever one a tenant names.
@Suite(.serialized) struct StripeAccountTests {
    @Test(
        "A Stripe account that is granted to another account is refused, in whichever way it is asked for; naming one first owns nothing"
    )
    func foreign() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let (acme, globex) = (try fleet.makeAccount("acme"), try fleet.makeAccount("globex"))
        // Named first by another, it is acme's none the less.
        try fleet.makeTenant("globex-a", token: globex, #","stripe_account":"acct_1""#)
        try StripeGrant.grant("acct_1", to: "acme", by: "a test", on: &fleet.database)
        try StripeGrant.grant("acct_1", to: "acme", by: "a test", on: &fleet.database)
        try fleet.makeTenant("acme-a", token: acme, #","stripe_account":"acct_1""#)
        try fleet.makeTenant("acme-b", token: acme)
        let own = try fleet.ask("tenant.update", #"{"stripe_account":"acct_1"}"#, tenant: "acme-b", token: acme)
        #expect(own.result?["changed"] == ["stripe_account"], "\(own)")

        func expectRefused(_ error: (code: ErrorCode?, field: String?), at field: String) {
            #expect(error.code == .forbidden && error.field == field, "\(error)")
        }
        let created = try fleet.ask(
            "tenant.create", #"{"slug":"globex-b","display_name":"B","stripe_account":"acct_1"}"#, token: globex)
        expectRefused((created.error?.code, created.error?.field), at: "/stripe_account")
        try fleet.makeTenant("globex-c", token: globex, #","stripe_account":"acct_2""#)
        let updated = try fleet.ask(
            "tenant.update", #"{"display_name":"A","stripe_account":"acct_1"}"#, tenant: "globex-c", token: globex)
        expectRefused((updated.error?.code, updated.error?.field), at: "/stripe_account")
        let tenants = ["acct_1", "acct_3"].enumerated().map {
            #"{"slug":"globex-m\#($0)","display_name":"M","stripe_account":"\#($1)"}"#
        }
        let many = try fleet.ask("tenant.create_many", #"{"tenants":[\#(tenants.joined(separator: ","))]}"#, token: globex)
        guard case .array(let outcomes)? = many.result?["tenants"], outcomes.count == 2 else { throw TestFailure("\(many)") }
        #expect(outcomes.map { $0["status"] } == ["rejected", "created"])
        #expect(outcomes[0]["error"]?["code"] == "forbidden" && outcomes[0]["error"]?["field"] == "/tenants/0/stripe_account")

        #expect(throws: Rejection.self) { try StripeGrant.grant("acct_1", to: "globex", by: "a test", on: &fleet.database) }
        #expect(throws: Rejection.self) { try StripeGrant.grant("acct_9", to: "nobody", by: "a test", on: &fleet.database) }
        #expect(throws: Rejection.self) { try StripeGrant.withdraw("acct_1", from: "globex", by: "a test", on: &fleet.database) }
        try StripeGrant.withdraw("acct_1", from: "acme", by: "a test", on: &fleet.database)
        try StripeGrant.grant("acct_1", to: "globex", by: "a test", on: &fleet.database)
        let asked = try fleet.ask("tenant.update", #"{"stripe_account":"acct_1"}"#, tenant: "globex-c", token: globex)
        #expect(asked.status == .succeeded)
        await fleet.stop()
    }
}
