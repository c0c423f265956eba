internal import Contract
internal import Fleet
internal import Jobs
internal import TestSupport
internal import Testing

/// `tenant.suspend`, `tenant.resume`, `tenant.delete` as an archive, and `tenant.restore`.
@Suite(.serialized) struct TenantLifeTests {
    /// A fleet with a worker, an account and its tenant `shop`.
    private func shop(plan: String = "enterprise") async throws -> (TestFleet, String, TenantEars) {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: plan)
        try fleet.makeTenant("shop", token: account)
        _ = try await ears.hear(fleet)
        return (fleet, account, ears)
    }

    @Test("A suspended tenant refuses the very next job after the answer, and takes the next one after it is resumed")
    func suspension() async throws {
        let (fleet, account, ears) = try await shop()
        for round in 0..<8 {
            #expect(
                try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: account).result == [
                    "tenant": "shop", "state": "suspended",
                ])
            // More than there are lanes, so that every lane is asked.
            let refused = try (0..<4).map {
                try fleet.ask("conversation.log", TestFleet.log(["no-\(round)-\($0)"]), tenant: "shop", token: account)
            }
            #expect(refused.map(\.error?.code) == Array(repeating: .tenantSuspended, count: 4))
            #expect(
                try fleet.ask("tenant.resume", "{}", tenant: "shop", token: account).result == [
                    "tenant": "shop", "state": "active",
                ])
            let taken = try (0..<4).map {
                try fleet.ask("conversation.log", TestFleet.log(["yes-\(round)-\($0)"]), tenant: "shop", token: account)
            }
            #expect(taken.map(\.status) == Array(repeating: .succeeded, count: 4))
        }
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 32)
        #expect(
            try await ears.keys(fleet)
                == Array(repeating: "tenant.resumed.acme.shop", count: 8)
                + Array(repeating: "tenant.suspended.acme.shop", count: 8))
        await fleet.stop()
    }

    @Test("A job that was done before its tenant was archived, or purged, is answered as it was; a new one is refused")
    func repeats() async throws {
        let (fleet, account, _) = try await shop()
        let update = #"{"display_name":"Shop"}"#
        let first = try fleet.ask("tenant.update", update, tenant: "shop", token: account, id: "update")
        let expected: [(mode: String, refused: ErrorCode)] = [("archive", .tenantSuspended), ("purge", .tenantUnknown)]
        for (mode, refused) in expected {
            _ = try fleet.ask("tenant.delete", #"{"mode":"\#(mode)"}"#, tenant: "shop", token: account)
            let again = try fleet.ask("tenant.update", update, tenant: "shop", token: account, id: "update")
            #expect(again.duplicate && again.result == first.result, "\(mode)")
            #expect(try fleet.ask("tenant.update", update, tenant: "shop", token: account).error?.code == refused, "\(mode)")
        }
        await fleet.stop()
    }

    @Test("Saying it twice is saying it once: the same answer, and one event")
    func twice() async throws {
        let (fleet, account, ears) = try await shop()
        for kind in ["tenant.resume", "tenant.restore"] {
            #expect(try fleet.ask(kind, "{}", tenant: "shop", token: account).result == ["tenant": "shop", "state": "active"])
        }
        #expect(try await ears.keys(fleet) == [], "nothing has changed")
        for _ in 0..<2 {
            #expect(try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: account).result?["state"] == "suspended")
        }
        #expect(try await ears.keys(fleet) == ["tenant.suspended.acme.shop"])
        let first = try fleet.ask("tenant.delete", #"{"retention_days":3}"#, tenant: "shop", token: account)
        let again = try fleet.ask("tenant.delete", "{}", tenant: "shop", token: account)
        #expect(first.result?["state"] == "archived" && again.result == first.result, "\(first) \(again)")
        let third = try fleet.ask("tenant.delete", #"{"retention_days":3}"#, tenant: "shop", token: account)
        #expect(third.result == first.result, "counted from the archive")
        #expect(try fleet.number("select (purge_at - archived_at = interval '3 days')::int::int8 from tenantry.tenants") == 1)
        _ = try fleet.ask("tenant.delete", #"{"retention_days":90}"#, tenant: "shop", token: account)
        #expect(try fleet.number("select (purge_at - archived_at = interval '90 days')::int::int8 from tenantry.tenants") == 1)
        #expect(try await ears.keys(fleet) == ["tenant.archived.acme.shop"])
        #expect(try fleet.pool("child_tenants", of: "acme") == 0, "one place is free, not three")
        for _ in 0..<2 {
            #expect(try fleet.ask("tenant.restore", "{}", tenant: "shop", token: account).result?["state"] == "suspended")
        }
        #expect(try await ears.keys(fleet) == ["tenant.restored.acme.shop"])
        #expect(try fleet.pool("child_tenants", of: "acme") == 1)
        #expect(
            try fleet.number("select count(*) from tenantry.audit_log where tenant = 'shop' and kind = 'tenant.restore'") == 3)
        await fleet.stop()
    }

    @Test(
        "An archive keeps everything, gives a place free, and is purged after its retention time: 30 days unless said otherwise")
    func archive() async throws {
        let (fleet, account, ears) = try await shop(plan: "pro")
        _ = try fleet.ask("conversation.log", TestFleet.log(["1", "2"]), tenant: "shop", token: account)
        let full = try fleet.ask("tenant.create", #"{"slug":"second","display_name":"x"}"#, token: account)
        #expect(full.error?.code == .limitReached)
        let archived = try fleet.ask("tenant.delete", "{}", tenant: "shop", token: account)
        #expect(archived.result?["state"] == "archived" && archived.result?["purged"] == nil)
        #expect(try fleet.number("select (purge_at - archived_at = interval '30 days')::int::int8 from tenantry.tenants") == 1)
        let heard = try await ears.hear(fleet)
        #expect(heard.map(\.key) == ["tenant.archived.acme.shop"])
        #expect(heard.first?.body["purge_at"] == archived.result?["purge_at"] && heard.first?.body["state"] == "archived")
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["3"]), tenant: "shop", token: account).error?.code
                == .tenantSuspended)
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 2)

        try fleet.makeTenant("second", token: account)
        let refused = try fleet.ask("tenant.restore", "{}", tenant: "shop", token: account)
        #expect(refused.error?.code == .limitReached)
        #expect(refused.error?.message.contains("limit 1, value 1") == true, "\(refused)")
        #expect(try fleet.state(of: "shop") == "archived")
        _ = try fleet.ask("tenant.delete", "{}", tenant: "second", token: account)
        #expect(
            try fleet.ask("tenant.restore", "{}", tenant: "shop", token: account).result == ["tenant": "shop", "state": "active"])
        #expect(
            try fleet.number(
                "select count(*) from tenantry.tenants where slug = 'shop' and purge_at is null and archived_at is null") == 1)
        #expect(try fleet.ask("conversation.log", TestFleet.log(["3"]), tenant: "shop", token: account).status == .succeeded)
        #expect(try fleet.pool("child_tenants", of: "acme") == 1)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test("A creation and three restores that want the last place: one of them gets it")
    func lastPlace() async throws {
        let (fleet, account, _) = try await shop(plan: "small")
        for slug in ["a2", "a3"] { try fleet.makeTenant(slug, token: account) }
        for slug in ["shop", "a2", "a3"] { _ = try fleet.ask("tenant.delete", "{}", tenant: slug, token: account) }
        for slug in ["b1", "b2"] { try fleet.makeTenant(slug, token: account) }
        await fleet.stop()
        try fleet.send("tenant.create", #"{"slug":"b3","display_name":"x"}"#, token: account, id: "b3")
        for slug in ["shop", "a2", "a3"] { try fleet.send("tenant.restore", "{}", tenant: slug, token: account, id: slug) }
        for _ in 0..<2 { try fleet.startWorker { $0.lanes[.tenant] = 2 } }
        let answers = try ["b3", "shop", "a2", "a3"].map { try fleet.answer(to: $0) }
        #expect(answers.count { $0.status == .succeeded } == 1, "\(answers)")
        #expect(answers.count { $0.error?.code == .limitReached } == 3)
        #expect(try fleet.number("select count(*) from tenantry.tenants where state in ('active', 'suspended')") == 3)
        #expect(try fleet.pool("child_tenants", of: "acme") == 3)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    /// What a tenant in each state takes, by the contract; any other kind that works on one tenant is refused there.
    private static let taken: [String: Set<String>] = [
        "suspended": [
            "tenant.update", "tenant.suspend", "tenant.resume", "tenant.delete", "tenant.restore", "conversation.erase",
        ],
        "archived": ["tenant.delete", "tenant.restore", "conversation.erase"],
        "purged": [],
    ]

    @Test(
        "Every kind in every state: what is not taken is refused as tenant_suspended, and as tenant_unknown once it is purged",
        arguments: taken.keys.sorted())
    func kinds(_ state: String) async throws {
        let (fleet, account, _) = try await shop()
        switch state {
        case "suspended": _ = try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: account)
        case "archived": _ = try fleet.ask("tenant.delete", "{}", tenant: "shop", token: account)
        default: _ = try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account)
        }
        #expect(try fleet.state(of: "shop") == state)
        // What is taken has a broken payload, so that it changes nothing; what is not taken is refused before its payload is read.
        for kind in Kind.all where kind.needsTenant {
            // A purge that comes again is known by its id, which is looked up when the payload is read.
            let isRepeatable = state == "purged" && kind == .tenantDelete
            let answer = try fleet.ask(kind.name, isRepeatable ? "{}" : "[]", tenant: "shop", token: account)
            let isTaken = Self.taken[state]?.contains(kind.name) == true
            let refusal: ErrorCode = state == "purged" ? .tenantUnknown : .tenantSuspended
            #expect(answer.error?.code == (isTaken ? .invalidPayload : refusal), "\(kind): \(answer)")
        }
        await fleet.stop()
    }

    @Test(
        "A payload that is wrong is blamed where it is wrong, and changes nothing",
        arguments: [
            ("tenant.delete", #"{"mode":"burn"}"#, "/mode"), ("tenant.delete", #"{"retention_days":-1}"#, "/retention_days"),
            ("tenant.delete", #"{"retention_days":3651}"#, "/retention_days"),
            ("tenant.delete", #"{"mode":"purge","retention_days":1}"#, "/retention_days"), ("tenant.suspend", "[]", ""),
            ("tenant.resume", "7", ""), ("tenant.restore", "[]", ""),
        ])
    func invalid(_ kind: String, _ body: String, _ field: String) async throws {
        let (fleet, account, ears) = try await shop()
        let answer = try fleet.ask(kind, body, tenant: "shop", token: account)
        #expect(answer.error?.code == .invalidPayload && answer.error?.field == field, "\(answer)")
        #expect(try fleet.state(of: "shop") == "active")
        #expect(try await ears.keys(fleet) == [])
        await fleet.stop()
    }
}
