internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// `tenant.create_many`.
@Suite(.serialized) struct TenantCreateManyTests {
    /// `<tenant> <status> <error code> <field>` of each outcome, as far as there.
    private func outcomes(_ answer: Answer) -> [String] {
        guard case .array(let outcomes)? = answer.result?["tenants"] else { return ["\(answer)"] }
        return outcomes.map { outcome in
            let parts = [outcome["tenant"], outcome["status"], outcome["error"]?["code"], outcome["error"]?["field"]]
            return parts.map { part in if case .string(let text)? = part { text } else { "-" } }.joined(separator: " ")
        }
    }

    private func counts(_ answer: Answer) -> [JSONValue?] {
        ["created", "existing", "rejected"].map { answer.result?[$0] }
    }

    @Test(
        "1,000 at once, good and bad: an outcome for each in order, once each; again under its id and under another",
        .timeLimit(.minutes(10)))
    func thousand() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        let other = try fleet.makeAccount("bolt")
        try fleet.makeTenant("t-10", token: other)
        try fleet.makeTenant("t-11", token: account)
        _ = try await ears.hear(fleet)
        var items = (0..<1_000).map { #"{"slug":"t-\#($0)"}"# }
        var expected = (0..<1_000).map { "t-\($0) created - -" }
        let bad: [(index: Int, item: String, outcome: String)] = [
            (0, #"{"slug":"T"}"#, "T rejected invalid_payload /tenants/0/slug"),
            (10, items[10], "t-10 rejected slug_taken /tenants/10/slug"),
            (11, items[11], "t-11 exists - -"),
            (12, #"{"slug":7}"#, "- rejected invalid_payload /tenants/12/slug"),
            (30, #"{"slug":"t-30","plan":"gold"}"#, "t-30 rejected invalid_payload /tenants/30/plan"),
            (31, #"{"slug":"t-31","display_name":null}"#, "t-31 rejected invalid_payload /tenants/31/display_name"),
            (500, items[3], "t-3 rejected invalid_payload /tenants/500/slug"),
            (501, "{}", "- rejected invalid_payload /tenants/501/slug"),
            (502, #"{"slug":"t-502","template":"none"}"#, "t-502 rejected invalid_payload /tenants/502/template"),
            (999, #"{"slug":"t-999","limits":{"cats":1}}"#, "t-999 rejected invalid_payload /tenants/999/limits/cats"),
        ]
        for (index, item, outcome) in bad { (items[index], expected[index]) = (item, outcome) }
        let body =
            #"{"defaults":{"display_name":"One of many","settings":{"tone":"kind"}},"tenants":[\#(items.joined(separator: ","))]}"#
        try fleet.send("tenant.create_many", body, token: account, id: "many")
        let first = try fleet.answer(to: "many", timeoutSeconds: 300)
        #expect(outcomes(first) == expected)
        #expect(counts(first) == [990, 1, 9])
        #expect(
            try fleet.number("select count(*) from tenantry.tenants where account = 'acme' and created_by = 'acme/many'") == 990)
        #expect(try fleet.pool("child_tenants", of: "acme") == 991)
        #expect(try fleet.texts("select value::text from tenant_t_998.settings where key = 'tone'") == [#""kind""#])
        #expect(try fleet.strays() == [])
        let events = try await ears.hear(fleet)
        #expect(events.count == 990 && Set(events.map(\.id)).count == 990)
        #expect(events.contains { $0.key == "tenant.created.acme.t-998" && $0.id == "tenant.created/acme/t-998/many" })

        let repeated = try fleet.ask("tenant.create_many", body, token: account, id: "many")
        #expect(repeated.duplicate && repeated.result == first.result)
        let again = try fleet.ask("tenant.create_many", body, token: account, id: "again")
        #expect(outcomes(again) == expected.map { $0.replacingOccurrences(of: " created ", with: " exists ") })
        #expect(counts(again) == [0, 991, 9])
        #expect(try await ears.hear(fleet) == [])
        #expect(try fleet.pool("child_tenants", of: "acme") == 991)
        await fleet.stop()
    }

    @Test("A limit is reached item by item, also in the middle of a part; what was there before needs no place")
    func limit() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("b-5", token: account)
        let items = (0..<15).map { #"{"slug":"b-\#($0)"}"# }.joined(separator: ",")
        let answer = try fleet.ask(
            "tenant.create_many", #"{"defaults":{"display_name":"x"},"tenants":[\#(items)]}"#, token: account)
        let expected = (0..<15).map { index in
            index == 5
                ? "b-5 exists - -" : index < 10 ? "b-\(index) created - -" : "b-\(index) rejected limit_reached /tenants/\(index)"
        }
        #expect(outcomes(answer) == expected)
        #expect(try fleet.number("select count(*) from tenantry.tenants") == 10)
        #expect(try fleet.pool("child_tenants", of: "acme") == 10)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test("Tenants with a template are opened like the others; one whose template does not fit hurts none of its neighbours")
    func templates() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus", #","limits":{"documents":2}"#)
        let documents = #"[{"external_id":"faq","title":"FAQ","media_type":"text/plain","content":"We open at nine."}]"#
        let saved = try fleet.ask(
            "template.save", #"{"name":"base","settings":{"tone":"kind"},"documents":\#(documents)}"#, token: account)
        #expect(saved.status == .succeeded, "\(saved)")
        let answer = try fleet.ask(
            "tenant.create_many",
            #"""
            {"defaults":{"display_name":"x","template":"base"},
             "tenants":[{"slug":"t1"},{"slug":"p1","template":null},{"slug":"t2"},{"slug":"t3"},{"slug":"p2","template":null}]}
            """#, token: account)
        #expect(
            outcomes(answer) == [
                "t1 created - -", "p1 created - -", "t2 created - -", "t3 rejected limit_reached /tenants/3", "p2 created - -",
            ])
        #expect(try fleet.texts("select slug from tenantry.tenants order by 1") == ["p1", "p2", "t1", "t2"])
        #expect(try fleet.number("select (select count(*) from tenant_t1.chunks) + (select count(*) from tenant_p1.chunks)") == 1)
        #expect(try fleet.pool("documents", of: "acme") == 2)
        #expect(try fleet.pool("child_tenants", of: "acme") == 4)
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test("One whose data the database refuses is rejected, and hurts none of its part", arguments: ["54000", "22001", "23514"])
    func refusedByTheDatabase(sqlState: String) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        _ = try fleet.ask("template.save", #"{"name":"base","settings":{"tone":"kind"}}"#, token: account)
        try fleet.database.run(
            script: """
                create function refuse() returns trigger language plpgsql as $$
                begin
                    raise exception 'too much of it' using errcode = '\(sqlState)';
                end $$;
                create trigger refuse before insert on tenantry.custom_limits for each row when (new.limit_value = 13)
                    execute function refuse();
                """)
        let answer = try fleet.ask(
            "tenant.create_many",
            #"""
            {"defaults":{"display_name":"x"},
             "tenants":[{"slug":"a1"},{"slug":"b1","limits":{"messages":13}},{"slug":"c1","template":"base"},
                        {"slug":"d1","template":"base","limits":{"messages":13}},{"slug":"e1","limits":{"messages":14}}]}
            """#, token: account)
        #expect(
            outcomes(answer) == [
                "a1 created - -", "b1 rejected invalid_payload /tenants/1", "c1 created - -",
                "d1 rejected invalid_payload /tenants/3", "e1 created - -",
            ])
        #expect(try fleet.texts("select slug from tenantry.tenants order by 1") == ["a1", "c1", "e1"])
        #expect(try fleet.pool("child_tenants", of: "acme") == 3)
        #expect(try fleet.strays() == [])
        #expect(
            try fleet.number("select count(*) from tenantry.audit_log where kind = 'tenant.create_many'") == 1,
            "the job succeeded")
        await fleet.stop()
    }

    @Test(
        "Manifests of two accounts and of one that want the same slugs at once: each slug is one tenant, and nobody is left without a word"
    )
    func atOnce() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let accounts = try [
            fleet.makeAccount("acme", plan: "enterprise-plus"), fleet.makeAccount("bolt", #","limits":{"child_tenants":50}"#),
        ]
        await fleet.stop()
        let slugs = (0..<60).map { "s-\($0)" }
        for (index, account) in [accounts[0], accounts[1], accounts[0]].enumerated() {
            let items = (index == 1 ? slugs.reversed() : slugs).map { #"{"slug":"\#($0)","display_name":"x"}"# }
            try fleet.send(
                "tenant.create_many", #"{"tenants":[\#(items.joined(separator: ","))]}"#, token: account, id: "m\(index)")
        }
        for _ in 0..<2 { try fleet.startWorker { $0.lanes[.tenant] = 2 } }
        let answers = try (0..<3).map { try fleet.answer(to: "m\($0)", timeoutSeconds: 120) }
        #expect(answers.allSatisfy { $0.status == .succeeded }, "\(answers)")
        let created = answers.flatMap { outcomes($0) }.filter { $0.contains(" created ") }
        #expect(created.count == 60 && Set(created).count == 60)
        #expect(try fleet.number("select count(*) from tenantry.tenants") == 60)
        #expect(try fleet.pool("child_tenants", of: "acme") + fleet.pool("child_tenants", of: "bolt") == 60)
        #expect(try fleet.strays() == [])
        #expect(try await ears.keys(fleet).count == 60)
        await fleet.stop()
    }

    @Test(
        "A payload that is no manifest is refused as a whole",
        arguments: [
            (#"{"tenants":[]}"#, "/tenants"), ("{}", "/tenants"), (#"{"tenants":[7]}"#, "/tenants/0"),
            (#"{"tenants":{}}"#, "/tenants"),
        ])
    func invalid(_ body: String, _ field: String) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let answer = try fleet.ask("tenant.create_many", body, token: account)
        #expect(answer.error?.code == .invalidPayload && answer.error?.field == field, "\(answer)")
        await fleet.stop()
    }
}
