import Testing

@testable internal import Contract

@Suite struct TenantPayloadTests {
    private func decode<Payload: JobPayload>(_ type: Payload.Type, _ body: String) throws(Rejection) -> Payload {
        try PayloadDecoder.decode(type, from: Array(body.utf8))
    }

    @Test func `A tenant that says nothing else is in production, on its account's plan and bill`() throws {
        let tenant = try decode(TenantCreate.self, #"{"slug":"shop","display_name":"Shop"}"#)
        #expect(tenant == TenantCreate(slug: "shop", displayName: "Shop", environment: "production", billingMode: .consolidated))
    }

    @Test func `An update tells absent, null and a value apart`() throws {
        let nothing = try decode(TenantUpdate.self, #"{"display_name":"Shop"}"#)
        #expect(nothing.plan == .keep && nothing.stripeAccount == .keep && nothing.limits == .keep && nothing.settings == nil)
        let cleared = try decode(TenantUpdate.self, #"{"plan":null,"stripe_account":null,"limits":null}"#)
        #expect(cleared.plan == .clear && cleared.stripeAccount == .clear && cleared.limits == .clear)
        let set = try decode(
            TenantUpdate.self,
            #"{"plan":"pro","stripe_account":"acct_1","limits":{"messages":0,"tokens":null},"settings":{"a":null,"b":{"c":1}}}"#)
        #expect(set.plan == .set("pro") && set.stripeAccount == .set("acct_1"))
        #expect(set.limits == .set(Limits([.messages: .most(0), .tokens: .unlimited])))
        #expect(set.settings == ["a": .null, "b": ["c": 1]])
    }

    @Test func `An update is encoded as it was meant`() throws {
        for update in [
            TenantUpdate(plan: .clear), TenantUpdate(displayName: "Shop", stripeAccount: .set("acct_1")),
            TenantUpdate(settings: ["a": .null], limits: .clear), TenantUpdate(limits: .set(Limits([.documents: .unlimited]))),
        ] {
            #expect(try decode(TenantUpdate.self, encoded(update)) == update)
        }
    }

    @Test(
        arguments: [
            (#"{"settings":{"a":1}}"#, nil), (#"{"settings":{},"display_name":null}"#, nil),
            (#"{"display_name":"Shop"}"#, "display_name"), (#"{"plan":null}"#, "plan"),
            (#"{"environment":"test"}"#, "environment"),
            (#"{"billing_mode":"separate","settings":{}}"#, "billing_mode"), (#"{"stripe_account":null}"#, "stripe_account"),
            (#"{"limits":null}"#, "limits"),
        ] as [(String, String?)])
    func `All but the settings is the account's to change`(body: String, field: String?) throws {
        #expect(try decode(TenantUpdate.self, body).fieldOfTheAccount == field)
    }

    @Test func `A delete archives, unless it says otherwise`() throws {
        #expect(try decode(TenantDelete.self, "{}") == TenantDelete(mode: .archive, retentionDays: nil))
        #expect(try decode(TenantDelete.self, #"{"retention_days":7}"#) == TenantDelete(mode: .archive, retentionDays: 7))
        #expect(try decode(TenantDelete.self, #"{"mode":"purge"}"#).mode == .purge)
        #expect(throws: Rejection.invalid("/retention_days", "goes with the mode archive: a purge is at once")) {
            try decode(TenantDelete.self, #"{"mode":"purge","retention_days":0}"#)
        }
    }

    @Test func `An item of a manifest is the defaults with its own fields laid over them`() throws {
        let many = try decode(
            TenantCreateMany.self,
            #"""
            {"defaults":{"display_name":"Branch","environment":"staging","template":"Shops","billing_mode":"separate",
                         "settings":{"language":"en","hours":{"opens":9,"closes":17},"greeting":"Hello"},
                         "limits":{"messages":100,"documents":5}},
             "tenants":[{"slug":"north"},
                        {"slug":"south","display_name":"South","template":null,"billing_mode":"consolidated","plan":"pro",
                         "settings":{"hours":{"closes":20},"greeting":null,"phone":"1"},"limits":{"messages":null,"tokens":7}},
                        {"slug":"west","settings":null,"limits":null}]}
            """#)
        #expect(
            try many.item(0)
                == TenantCreate(
                    slug: "north", displayName: "Branch", environment: "staging", template: "Shops", billingMode: .separate,
                    settings: ["language": "en", "hours": ["opens": 9, "closes": 17], "greeting": "Hello"],
                    limits: Limits([.messages: .most(100), .documents: .most(5)])))
        #expect(
            try many.item(1)
                == TenantCreate(
                    slug: "south", displayName: "South", plan: "pro", environment: "staging", billingMode: .consolidated,
                    settings: ["language": "en", "hours": ["opens": 9, "closes": 20], "phone": "1"],
                    limits: Limits([.messages: .unlimited, .documents: .most(5), .tokens: .most(7)])))
        let west = try many.item(2)
        #expect(west.settings == nil && west.limits == nil && west.template == "Shops")
    }

    @Test(
        arguments: [
            (#"{"tenants":[{"slug":"north"}]}"#, "/tenants/0/display_name"),
            (#"{"defaults":{"display_name":"Branch"},"tenants":[{}]}"#, "/tenants/0/slug"),
            (#"{"defaults":{"display_name":""},"tenants":[{"slug":"north"}]}"#, "/tenants/0/display_name"),
            (
                #"{"defaults":{"limits":{"child_tenants":1}},"tenants":[{"slug":"north","display_name":"N"}]}"#,
                "/tenants/0/limits/child_tenants"
            ),
            (#"{"defaults":{"settings":[]},"tenants":[{"slug":"north","display_name":"N"}]}"#, "/tenants/0/settings"),
            (#"{"tenants":[{"slug":"North","display_name":"N"}]}"#, "/tenants/0/slug"),
        ] as [(String, String)])
    func `What is wrong with an item is blamed in the manifest`(body: String, field: String) throws {
        let many = try decode(TenantCreateMany.self, body)
        do throws(Rejection) {
            _ = try many.item(0)
            Issue.record("the item was taken")
        } catch {
            #expect(error.code == .invalidPayload && error.field == field)
        }
    }

    @Test func `A rotation leaves the earlier credentials a day`() throws {
        #expect(try decode(AccountRotate.self, "{}") == AccountRotate(account: nil, overlapSeconds: 86_400))
        #expect(try decode(AccountRotate.self, #"{"overlap_seconds":0}"#).overlapSeconds == 0)
    }
}
