internal import Contract
internal import TestSupport
internal import Testing

/// `tenant.update`.
@Suite(.serialized) struct TenantUpdateTests {
    private func shop(_ more: String = "") async throws -> (TestFleet, String, TenantEars) {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account, more)
        _ = try await ears.hear(fleet)
        return (fleet, account, ears)
    }

    private func settings(_ fleet: TestFleet) throws -> [String] {
        try fleet.texts("select key || '=' || value from tenant_shop.settings order by key")
    }

    @Test(
        "Settings are patched: named ones replaced, objects merged, null removed, the others left; what changes nothing is no change"
    )
    func settings() async throws {
        let (fleet, account, ears) = try await shop(#","settings":{"a":1,"b":{"x":1,"y":{"z":2}},"c":"keep","d":[1,2]}"#)
        let patch = #"{"settings":{"a":null,"b":{"x":9,"y":{"z":null,"w":0}},"d":[3],"e":{"n":null,"m":1},"missing":null}}"#
        let answer = try fleet.ask("tenant.update", patch, tenant: "shop", token: account, id: "patch")
        #expect(answer.result == ["tenant": "shop", "changed": ["settings"]])
        let after = [#"b={"x": 9, "y": {"w": 0}}"#, #"c="keep""#, "d=[3]", #"e={"m": 1}"#]
        #expect(try settings(fleet) == after)
        let events = try await ears.hear(fleet)
        #expect(events.map(\.key) == ["tenant.updated.acme.shop"] && events.first?.id == "tenant.updated/acme/shop/patch")
        #expect(events.first?.body["changed"] == ["settings"])
        let same = try fleet.ask("tenant.update", patch, tenant: "shop", token: account)
        #expect(same.result == ["tenant": "shop", "changed": []])
        #expect(try settings(fleet) == after)
        #expect(try await ears.hear(fleet) == [])
        await fleet.stop()
    }

    @Test("Everything else is the account's to change; null inherits the plan again and takes the tenant's own limits away")
    func fields() async throws {
        let (fleet, account, _) = try await shop()
        let all = #"""
            {"display_name":"New","plan":"pro","environment":"test","billing_mode":"separate","stripe_account":"acct_9","limits":{"messages":3},
             "settings":{"a":1}}
            """#
        let changed = try fleet.ask("tenant.update", all, tenant: "shop", token: account)
        #expect(
            changed.result?["changed"] == [
                "billing_mode", "display_name", "environment", "limits", "plan", "settings", "stripe_account",
            ],
            "\(changed)")
        let row = "select concat_ws('|', display_name, plan, environment, billing_mode, stripe_account) from tenantry.tenants"
        #expect(try fleet.texts(row) == ["New|pro|test|separate|acct_9"])
        #expect(try fleet.ask("tenant.update", all, tenant: "shop", token: account).result?["changed"] == [])
        let cleared = try fleet.ask(
            "tenant.update", #"{"plan":null,"stripe_account":null,"limits":null}"#, tenant: "shop", token: account)
        #expect(cleared.result?["changed"] == ["limits", "plan", "stripe_account"])
        #expect(try fleet.texts(row) == ["New|test|separate"])
        #expect(try fleet.number("select count(*) from tenantry.custom_limits") == 0)
        await fleet.stop()
    }

    @Test("A tenant's own token and administrator change its settings, and nothing that is the account's")
    func tenantsOwn() async throws {
        let (fleet, account, ears) = try await shop()
        let admin = try fleet.ask(
            "admin.create", #"{"email":"a@shop.example","display_name":"A","role":"tenant_admin"}"#, tenant: "shop",
            token: account)
        guard case .string(let key)? = admin.result?["key"], case .string(let secret)? = admin.result?["secret"] else {
            throw TestFailure("\(admin)")
        }
        let senders = try [
            fleet.makeToken(["settings:write"], tenant: "shop", token: account),
            fleet.makeToken(["settings:write"], tenant: nil, token: account), "\(key).\(secret)",
        ]
        for (index, sender) in senders.enumerated() {
            let allowed = try fleet.ask("tenant.update", #"{"settings":{"n":\#(index)}}"#, tenant: "shop", token: sender)
            #expect(allowed.result?["changed"] == ["settings"], "\(allowed)")
            for (name, value) in [
                ("display_name", #""x""#), ("plan", "null"), ("environment", #""test""#), ("billing_mode", #""separate""#),
                ("stripe_account", "null"), ("limits", #"{"messages":1}"#),
            ] {
                let refused = try fleet.ask(
                    "tenant.update", #"{"settings":{"n":99},"\#(name)":\#(value)}"#, tenant: "shop", token: sender)
                #expect(refused.error?.code == .forbidden && refused.error?.field == "/\(name)", "\(refused)")
            }
        }
        let other = try fleet.makeToken(["corpus:write"], tenant: "shop", token: account)
        #expect(try fleet.ask("tenant.update", #"{"settings":{"n":99}}"#, tenant: "shop", token: other).error?.code == .forbidden)
        #expect(try settings(fleet) == ["n=2"])
        #expect(try await ears.keys(fleet).count == 3)
        await fleet.stop()
    }

    @Test(
        "A plan or a limit changed up or down is measured at once: crossed thresholds are told of, and resolved ones, each once")
    func limits() async throws {
        let (fleet, account, _) = try await shop()
        let ids = (0..<10).map { "m-\($0)" }
        _ = try fleet.ask("conversation.log", TestFleet.log(ids), tenant: "shop", token: account)
        let alerts = """
            select state || ' ' || threshold_percent from tenantry.alerts where tenant = 'shop' and metric = 'messages'
            order by created_at, threshold_percent
            """
        #expect(try fleet.texts(alerts) == [])
        let update = { (body: String) in _ = try fleet.ask("tenant.update", body, tenant: "shop", token: account) }
        try update(#"{"limits":{"messages":10}}"#)
        let breached = ["warning 50", "warning 75", "warning 80", "warning 90", "breached 100"]
        #expect(try fleet.texts(alerts) == breached)
        try update(#"{"limits":{"messages":10}}"#)
        #expect(try fleet.texts(alerts) == breached, "never twice")
        try update(#"{"limits":{"messages":13}}"#)
        #expect(try fleet.texts(alerts) == breached + ["resolved 80", "resolved 90", "resolved 100"])
        try update(#"{"limits":null,"plan":"pro"}"#)
        #expect(try fleet.texts(alerts).count { $0.hasPrefix("resolved") } == 5)
        try update(#"{"plan":"small"}"#)
        #expect(
            try fleet.texts(alerts).count { $0.hasPrefix("resolved") } == 5,
            "what was told of in this period is not told of again")
        let refused = try fleet.ask("conversation.log", TestFleet.log(["more"]), tenant: "shop", token: account)
        #expect(refused.error?.code == .limitReached, "the plan holds for the next job: \(refused)")
        try update(#"{"plan":null}"#)
        #expect(try fleet.ask("conversation.log", TestFleet.log(["more"]), tenant: "shop", token: account).status == .succeeded)
        await fleet.stop()
    }

    @Test(
        "A payload that is wrong is blamed where it is wrong, and nothing of it holds",
        arguments: [
            ("{}", ""), (#"{"plan":"gold","display_name":"y"}"#, "/plan"), (#"{"display_name":""}"#, "/display_name"),
            (#"{"environment":"My Own"}"#, "/environment"), (#"{"billing_mode":"never"}"#, "/billing_mode"),
            (#"{"limits":{"child_tenants":3}}"#, "/limits/child_tenants"), (#"{"limits":{"cats":3}}"#, "/limits/cats"),
            (#"{"settings":[]}"#, "/settings"), (#"{"display_name":"y","settings":{"a":"\u0000"}}"#, "/settings/a"),
        ])
    func invalid(_ body: String, _ field: String) async throws {
        let (fleet, account, ears) = try await shop()
        let answer = try fleet.ask("tenant.update", body, tenant: "shop", token: account)
        #expect(answer.error?.code == .invalidPayload && answer.error?.field == field, "\(answer)")
        #expect(try fleet.texts("select display_name from tenantry.tenants") == ["shop"])
        #expect(try await ears.keys(fleet) == [])
        await fleet.stop()
    }
}
