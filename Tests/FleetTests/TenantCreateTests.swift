internal import Contract
internal import Fleet
internal import Jobs
internal import TestSupport
internal import Testing

/// `tenant.create`.
@Suite(.serialized) struct TenantCreateTests {
    @Test("50 creations at once on an account with room for 10: 10 tenants, 40 times limit_reached, and not a trace of those")
    func room() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        await fleet.stop()
        let ids = (0..<50).map { "job-\($0)" }
        for (index, id) in ids.enumerated() {
            try fleet.send("tenant.create", #"{"slug":"t-\#(index)","display_name":"x"}"#, token: account, id: id)
        }
        for _ in 0..<2 { try fleet.startWorker { $0.lanes[.tenant] = 4 } }
        let answers = try ids.map { try fleet.answer(to: $0) }
        #expect(answers.count { $0.status == .succeeded } == 10)
        let refused = answers.filter { $0.error?.code == .limitReached }
        #expect(refused.count == 40)
        #expect(refused.allSatisfy { $0.error?.message.contains("child_tenants: limit 10, value 10, asked for 1 more") == true })
        #expect(try fleet.number("select count(*) from tenantry.tenants") == 10)
        #expect(try fleet.number("select count(*) from pg_namespace where nspname like 'tenant\\_%'") == 10)
        #expect(try fleet.pool("child_tenants", of: "acme") == 10)
        #expect(try fleet.strays() == [])
        #expect(try await ears.keys(fleet).count == 10)
        await fleet.stop()
    }

    @Test("Two creations of one slug at once, by two accounts and by one: one tenant each, and slug_taken for the other")
    func oneSlug() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let accounts = try [fleet.makeAccount("acme"), fleet.makeAccount("bolt", plan: "enterprise-plus")]
        await fleet.stop()
        for index in 0..<5 {
            for (number, account) in accounts.enumerated() {
                try fleet.send(
                    "tenant.create", #"{"slug":"both-\#(index)","display_name":"x"}"#, token: account,
                    id: "both-\(index)-\(number)")
            }
            for number in 0..<2 {
                try fleet.send(
                    "tenant.create", #"{"slug":"own-\#(index)","display_name":"x"}"#, token: accounts[1],
                    id: "own-\(index)-\(number)")
            }
        }
        for _ in 0..<2 { try fleet.startWorker { $0.lanes[.tenant] = 3 } }
        for prefix in (0..<5).flatMap({ ["both-\($0)", "own-\($0)"] }) {
            let answers = try (0..<2).map { try fleet.answer(to: "\(prefix)-\($0)") }
            #expect(answers.count { $0.status == .succeeded } == 1, "\(answers)")
            #expect(
                answers.count {
                    $0.error == Rejection(.slugTaken, "there is a tenant \(prefix) already, or was one", field: "/slug")
                } == 1)
        }
        #expect(try fleet.number("select count(*) from tenantry.tenants") == 10)
        #expect(try fleet.pool("child_tenants", of: "acme") + fleet.pool("child_tenants", of: "bolt") == 10)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test("All that a tenant may be given is there: plan, environment, billing, limits, settings, and who made it")
    func everything() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let body = #"""
            {"slug":"acme-shop","display_name":"Shop «Zürich»","plan":"pro","environment":"staging","billing_mode":"separate",
             "stripe_account":"acct_1","settings":{"greeting":"Grüezi","deep":{"a":[1,null],"b":null},"none":null,"odd\\\t\n\r.":"\\.\n\t\"x"},"limits":{"messages":7,"tokens":null}}
            """#
        let answer = try fleet.ask("tenant.create", body, token: account, id: "the-job")
        #expect(answer.result == ["tenant": "acme-shop", "schema": "tenant_acme_shop"])
        #expect(
            try fleet.texts(
                """
                select concat_ws('|', account, schema_name, display_name, plan, environment, billing_mode, stripe_account, state, created_by)
                from tenantry.tenants
                """) == ["acme|tenant_acme_shop|Shop «Zürich»|pro|staging|separate|acct_1|active|acme/the-job"])
        #expect(
            try fleet.texts("select key || '=' || value from tenant_acme_shop.settings order by key")
                == [#"deep={"a": [1, null]}"#, #"greeting="Grüezi""#, "odd\\\t\n\r.=" + #""\\.\n\t\"x""#])
        #expect(
            try fleet.texts(
                "select metric || '=' || coalesce(limit_value::text, 'no limit') from tenantry.custom_limits where tenant = 'acme-shop' order by 1"
            )
                == ["messages=7", "tokens=no limit"])
        #expect(
            try fleet.texts("select name from tenantry.migrations where schema_name = 'tenant_acme_shop' order by 1")
                == [
                    "tenant_0001_foundation", "tenant_0002_feedback", "tenant_0003_output", "tenant_0004_reads",
                    "tenant_0005_usage_history",
                ])
        let again = try fleet.ask("tenant.create", body, token: account, id: "the-job")
        #expect(again.duplicate && again.result == answer.result)
        let events = try await ears.hear(fleet)
        #expect(events.map(\.id) == ["tenant.created/acme/acme-shop/the-job"], "one event")
        // The inbox forgets after a while; the tenant knows who made it.
        _ = try fleet.number("with gone as (delete from tenantry.inbox returning 1) select count(*) from gone")
        let late = try fleet.ask("tenant.create", body, token: account, id: "the-job")
        #expect(late.status == .succeeded && late.result == answer.result)
        #expect(try await ears.hear(fleet) == [])
        #expect(try fleet.pool("child_tenants", of: "acme") == 1)
        await fleet.stop()
    }

    @Test(
        "A template's settings and documents come first, the job's own settings over them; a template that does not fit leaves nothing"
    )
    func template() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        let documents = #"[{"external_id":"faq","title":"FAQ","media_type":"text/plain","content":"We open at nine."}]"#
        let saved = try fleet.ask(
            "template.save",
            #"{"name":"base","settings":{"tone":"kind","deep":{"a":1,"b":2},"old":true},"documents":\#(documents)}"#,
            token: account)
        #expect(saved.status == .succeeded, "\(saved)")
        let made = try fleet.ask(
            "tenant.create",
            #"{"slug":"shop","display_name":"x","template":"base","settings":{"deep":{"b":3},"old":null,"own":1}}"#,
            token: account)
        #expect(made.status == .succeeded, "\(made)")
        #expect(
            try fleet.texts("select key || '=' || value from tenant_shop.settings order by key")
                == [#"deep={"a": 1, "b": 3}"#, "own=1", #"tone="kind""#])
        #expect(try fleet.texts("select content from tenant_shop.chunks") == ["We open at nine."])
        #expect(try fleet.number("select documents from tenantry.tenant_usage where tenant = 'shop'") == 1)
        let missing = try fleet.ask("tenant.create", #"{"slug":"none","display_name":"x","template":"nothing"}"#, token: account)
        #expect(missing.error == .invalid("/template", #"there is no template "nothing""#))
        let tooMuch = try fleet.ask(
            "tenant.create", #"{"slug":"none","display_name":"x","plan":"small","template":"base","limits":{"documents":0}}"#,
            token: account)
        #expect(tooMuch.error?.code == .limitReached, "\(tooMuch)")
        #expect(try fleet.texts("select slug from tenantry.tenants") == ["shop"])
        #expect(try fleet.pool("child_tenants", of: "acme") == 1)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test("What is wrong is refused with its place, and leaves nothing")
    func invalid() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", #","slug_prefix":"acme-""#)
        let cases: [(body: String, code: ErrorCode, field: String?)] = [
            (#"{"slug":"shop","display_name":"x"}"#, .invalidPayload, "/slug"),
            (#"{"slug":"acme-","display_name":""}"#, .invalidPayload, "/display_name"),
            (#"{"slug":"Acme","display_name":"x"}"#, .invalidPayload, "/slug"),
            (#"{"display_name":"x"}"#, .invalidPayload, "/slug"),
            (#"{"slug":"acme-a","display_name":"x","plan":"gold"}"#, .invalidPayload, "/plan"),
            (#"{"slug":"acme-a","display_name":"x","environment":"My Own"}"#, .invalidPayload, "/environment"),
            (#"{"slug":"acme-a","display_name":"x","billing_mode":"never"}"#, .invalidPayload, "/billing_mode"),
            (#"{"slug":"acme-a","display_name":"x","limits":{"child_tenants":1}}"#, .invalidPayload, "/limits/child_tenants"),
            (#"{"slug":"acme-a","display_name":"x","settings":[]}"#, .invalidPayload, "/settings"),
        ]
        for (body, code, field) in cases {
            let answer = try fleet.ask("tenant.create", body, token: account)
            #expect(answer.error?.code == code && answer.error?.field == field, "\(body): \(answer)")
        }
        #expect(try fleet.number("select count(*) from tenantry.tenants") == 0)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }
}
