internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry tenant list, show and create-many")
struct TenantCommandTests {
    private func manifest(_ text: String) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("manifest") + ".yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    /// `<tenant> <status> <code> <field>` of each row.
    private func outcomes(_ ended: Ended) throws -> [String] {
        try ended.rows().map { row in
            ["tenant", "status", "code", "field"].map { row[$0] as? String ?? "-" }.joined(separator: " ")
        }
    }

    @Test("a manifest is opened with defaults, counts and {n}; once more it is all there; its table and its rows say so")
    func createMany() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("many")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":null}"#)
        let file = try manifest(
            """
            # Branches of one brand.
            defaults:
              display_name: "Branch {n}"
              settings: {tone: kind, opening: 08:30, closed: no, seats: 12, price: 9.50, open: true, note: "7"}
            tenants:
              - slug: \(account)-head
                display_name: 2026
                settings: {tone: null, own: [1, two]}
                limits: {messages: 500, tokens: null}
                environment: staging
              - slug: "\(account)-{n}"
                count: 104
            """)
        defer { try? FileManager.default.removeItem(at: file) }
        let first = try await instance.tenantry("tenant", "create-many", file.path, "--token", token, "--format", "json")
        #expect(first.status == 0, "\(first)")
        let names = ["head"] + (1...104).map { "\($0)" }
        #expect(try outcomes(first) == names.map { "\(account)-\($0) created - -" })
        #expect(first.errors == "105 created, 0 existing, 0 rejected\n")
        let schema = "tenant_" + account.replacingOccurrences(of: "-", with: "_")
        #expect(
            try await instance.psql("select key, value from \(schema)_7.settings order by key")
                == ["closed|\"no\"", "note|\"7\"", "open|true", "opening|\"08:30\"", "price|9.5", "seats|12", "tone|\"kind\""])
        #expect(
            try await instance.psql("select value from \(schema)_head.settings where key in ('own', 'tone')") == [#"[1, "two"]"#])
        #expect(
            try await instance.psql(
                "select display_name, environment from tenantry.tenants where slug in ('\(account)-head', '\(account)-104') order by slug"
            )
                == ["Branch 104|production", "2026|staging"])

        let again = try await instance.tenantry(
            "tenant", "create-many", file.path, environment: ["TENANTRY_TOKEN": token])
        #expect(again.status == 0, "\(again)")
        #expect(again.errors == "0 created, 105 existing, 0 rejected\n", "what is true now, not the first answers once more")
        #expect(again.output.split(separator: "\n").count == 106)
        #expect(again.output.hasPrefix("tenant"))
        #expect(try await instance.psql("select count(*) from tenantry.tenants where account = '\(account)'") == ["105"])
        #expect(
            try await instance.psql(
                "select count(*) from tenantry.audit_log where account = '\(account)' and kind = 'tenant.create_many'") == ["4"])

        let purged = try await instance.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "\(account)-7", token: token)
        #expect(purged["status"] as? String == "succeeded", "\(purged)")
        let third = try await instance.tenantry("tenant", "create-many", file.path, "--token", token, "--format", "json")
        #expect(third.status == 1)
        #expect(
            try outcomes(third)
                == names.map { $0 == "7" ? "\(account)-7 rejected slug_taken slug" : "\(account)-\($0) exists - -" })
        let search = try await instance.tenantry("corpus", "search", "\(account)-7", "x")
        #expect(search.status == 1 && search.errors == "Error: tenant \(account)-7 was purged\n")
    }

    @Test("tenants that were rejected are shown with the reason, exit code 1; when the cause is mended, the same call opens them")
    func rejected() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("room")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":2}"#)
        let file = try manifest(
            """
            tenants:
              - {slug: "\(account)-{n}", display_name: x, count: 3}
              - {slug: \(account)-gold, display_name: x, plan: gold}
            """)
        defer { try? FileManager.default.removeItem(at: file) }
        func call() async throws -> Ended {
            try await instance.tenantry("tenant", "create-many", file.path, "--token", token, "--format", "json")
        }
        let first = try await call()
        #expect(first.status == 1)
        #expect(
            try outcomes(first) == [
                "\(account)-1 created - -", "\(account)-2 created - -", "\(account)-3 rejected limit_reached -",
                "\(account)-gold rejected invalid_payload plan",
            ])
        #expect(first.errors == "2 created, 0 existing, 2 rejected\n")
        _ = try await instance.ask("account.update", #"{"account":"\#(account)","limits":{"child_tenants":9}}"#)
        let second = try await call()
        #expect(second.status == 1)
        #expect(try outcomes(second)[2] == "\(account)-3 created - -")
        #expect(second.errors == "1 created, 2 existing, 1 rejected\n")
    }

    @Test("without the account's credential nothing is opened, and the message says what to pass")
    func credential() async throws {
        let instance = try await Instance.shared.value
        let file = try manifest("tenants: [{slug: \(newSlug("none")), display_name: x}]")
        defer { try? FileManager.default.removeItem(at: file) }
        let ended = try await instance.tenantry("tenant", "create-many", file.path)
        #expect(ended.status == 1)
        #expect(ended.errors.contains("--token-file or TENANTRY_TOKEN"), "\(ended.errors)")
        #expect(ended.output.isEmpty)
    }

    @Test(
        "a mistake in the manifest names file, line and key, and nothing is sent",
        arguments: [
            ("", ": tenants is missing"), ("tenants: [", ": is not YAML"), ("defaults: {}", ":1: tenants is missing"),
            ("tenants: 7", ":1: tenants: must be a list of tenants"), ("tenants: []", ":1: tenants: names no tenant"),
            ("tenants:\n- 7", ":2: tenants[0]: must be a mapping"),
            ("# a\ntenant: []", ":2: tenant: there is no such key here; there are defaults, tenants"),
            ("tenants:\n- slug: shop\n  name: x", ":3: tenants[0].name: there is no such key here"),
            ("defaults:\n  slug: shop\ntenants: []", ":2: defaults.slug: there is no such key here"),
            ("tenants:\n- slug: shop\n- slug: Shop\n  display_name: x", ":2: tenants[0]: display_name is missing"),
            ("defaults: {display_name: x}\ntenants:\n- slug: shop\n- slug: Shop", ":4: tenants[1].slug: must be a slug"),
            ("defaults:\n  display_name: x\n  billing_mode: never\ntenants:\n- slug: shop", ":3: defaults.billing_mode: "),
            ("tenants:\n- slug: shop\n  display_name: x\n  limits:\n    messages: many", ":5: tenants[0].limits.messages: "),
            ("tenants:\n- slug: shop\n  display_name: x\n  limits: {cats: 1}", ":4: tenants[0].limits.cats: "),
            ("tenants:\n- slug: shop\n  display_name: x\n  settings: 7", ":4: tenants[0].settings: must be an object"),
            ("tenants:\n- slug: shop\n  display_name: x\n  count: 2", ":2: tenants[0]: with a count, the slug must contain {n}"),
            ("tenants:\n- slug: shop-{n}\n  display_name: x\n  count: 0", ":4: tenants[0].count: must be a whole number from 1"),
            ("tenants:\n- slug: shop-{n}\n  display_name: x", ":2: tenants[0].slug: must be a slug"),
            (
                "defaults: {display_name: x}\ntenants:\n- slug: shop\n- slug: shop",
                ":4: tenants[1].slug: shop is the slug of an earlier tenant, in line 3"
            ),
        ])
    func mistakes(_ text: String, _ complaint: String) async throws {
        let file = try manifest(text)
        defer { try? FileManager.default.removeItem(at: file) }
        // Nobody is asked for anything.
        let ended = try await Program.tenantry(
            "tenant", "create-many", file.path, "--token", "k.s", "--amqp-url", "amqp://127.0.0.1:1/")
        #expect(ended.status == 1)
        #expect(ended.errors.hasPrefix("Error: \(file.path)\(complaint)"), "\(ended.errors)")
    }

    @Test("list keeps to an account and a state; show tells everything, also of a tenant that was purged")
    func listAndShow() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("show")
        let token = try await instance.makeAccount(account)
        for name in ["a", "b"] {
            _ = try await instance.ask(
                "tenant.create",
                #"{"slug":"\#(account)-\#(name)","display_name":"N","settings":{"k":[1]},"limits":{"messages":4}}"#, token: token,
                id: "\(account)-\(name)")
        }
        _ = try await instance.ask("conversation.log", log(["1", "2", "3"]), tenant: "\(account)-a", token: token)
        _ = try await instance.ask("tenant.suspend", "{}", tenant: "\(account)-b", token: token)
        func names(_ more: String...) async throws -> [String] {
            try await Program(
                Program.tenantry, ["tenant", "list", "--format", "json", "--account", account] + more,
                environment: instance.environment
            ).end().rows().compactMap { $0["tenant"] as? String }
        }
        #expect(try await names() == ["\(account)-a", "\(account)-b"])
        #expect(try await names("--state", "suspended") == ["\(account)-b"])
        #expect(try await names("--state", "purged") == [])
        #expect(try await instance.tenantry("tenant", "list", "--state", "asleep").status == 64)

        let ended = try await instance.tenantry("tenant", "show", "\(account)-a", "--format", "json")
        let shown = try #require(try ended.json() as? [String: Any])
        #expect(shown["state"] as? String == "active" && shown["plan"] as? String == "enterprise")
        #expect(shown["plan_is_inherited"] as? Bool == true && shown["created_by"] as? String == "\(account)/\(account)-a")
        #expect((shown["settings"] as? [String: [Int]]) == ["k": [1]] && (shown["limits"] as? [String: Int]) == ["messages": 4])
        let usage = try #require(shown["usage"] as? [[String: Any]])
        let messages = try #require(usage.first { $0["metric"] as? String == "messages" })
        #expect(messages["value"] as? Int == 3 && messages["limit"] as? Int == 4)
        let table = try await instance.tenantry("tenant", "show", "\(account)-b").output
        #expect(table.contains("suspended_at") && table.contains("corpus_bytes"))

        _ = try await instance.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "\(account)-a", token: token)
        let purged = try #require(
            try await instance.tenantry("tenant", "show", "\(account)-a", "--format", "json").json() as? [String: Any])
        #expect(purged["state"] as? String == "purged" && purged["settings"] == nil)
        #expect((purged["purged_rows"] as? [String: Int])?["messages"] == 3)
        let unknown = try await instance.tenantry("tenant", "show", "nobody-here")
        #expect(unknown.status == 1 && unknown.errors == "Error: there is no tenant nobody-here\n")
    }

    @Test("load makes its tenants through manifests, and finds them there the second time")
    func load() async throws {
        let instance = try await Instance.shared.value
        let prefix = newSlug("load")
        let first = try await instance.tenantry("load", "--prefix", prefix, "--tenants", "3", "--jobs", "10")
        #expect(first.status == 0, "\(first)")
        let token = try #require(first.output.firstMatch(of: /account token: (\S+)/)).1
        let second = try await instance.tenantry(
            "load", "--prefix", prefix, "--tenants", "4", "--jobs", "10", "--seed", "2", "--account-token", String(token))
        #expect(second.status == 0, "\(second)")
        #expect(try await instance.psql("select count(*) from tenantry.tenants where account = '\(prefix)'") == ["4"])
    }
}
