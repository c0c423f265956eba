internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// The same job once more, under its own id.
@Suite struct RepeatedJobTests {
    private static let document =
        #"{"documents":[{"external_id":"a","title":"Hours","media_type":"text/plain","content":"Open on Saturdays."}]}"#

    /// What is done on the tenant `shop`, in this order; nil: on none.
    private static let jobs: [(kind: String, body: String, tenant: String?)] = [
        ("tenant.create", #"{"slug":"shop","display_name":"Shop"}"#, nil),
        ("tenant.update", #"{"display_name":"The shop","settings":{"a":1}}"#, "shop"),
        ("admin.create", #"{"email":"ada@shop.ch","display_name":"Ada","role":"tenant_admin"}"#, "shop"),
        ("token.issue", #"{"name":"till","scopes":["conversation:write"]}"#, "shop"),
        ("corpus.ingest", document, "shop"),
        ("corpus.remove", #"{"external_ids":["a"]}"#, "shop"),
        ("template.save", #"{"name":"start","settings":{"tone":"kind"}}"#, nil),
        ("template.remove", #"{"name":"start"}"#, nil),
        ("admin.remove", #"{"email":"ada@shop.ch"}"#, "shop"),
        ("tenant.suspend", "{}", "shop"),
        ("tenant.resume", "{}", "shop"),
        ("tenant.delete", "{}", "shop"),
        ("tenant.restore", "{}", "shop"),
    ]

    @Test("A job that comes again has no second effect and gets the first answer, without what is said only once")
    func twice() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            for (index, job) in Self.jobs.enumerated() {
                let first = try stage.ask(job.kind, job.body, tenant: job.tenant, by: acme, id: "id-\(index)")
                try #require(first.status == .succeeded && !first.duplicate, "\(first)")
                let rows = try written(stage)
                let second = try stage.ask(job.kind, job.body, tenant: job.tenant, by: acme, id: "id-\(index)")
                #expect(second.status == .succeeded && second.duplicate, "\(second)")
                #expect(try written(stage) == rows, "\(job.kind)")
                guard case .object(var result)? = first.result else { throw TestFailure("no object: \(first)") }
                result["secret"] = nil
                #expect(second.result == .object(result), "\(job.kind)")
            }
        }
    }

    @Test("Whether an id was used is looked up before the payload is read", arguments: ["token.issue", "usage.aggregate"])
    func unread(_ kind: String) async throws {
        try await HandlerStage.run(isolated: true) { stage in
            let acme = try stage.makeAccount("acme")
            let body = kind == "usage.aggregate" ? "{}" : #"{"name":"till","scopes":["conversation:write"]}"#
            let first = try stage.ask(kind, body, by: acme, id: "one")
            try #require(first.status == .succeeded)
            // A handler that read this one would say that it is no JSON.
            #expect(try stage.ask(kind, "{", by: acme, id: "one").error?.code == .conflict)
            // What is refused has left no row: replayed when its cause is mended, it runs.
            #expect(try stage.ask(kind, "{", by: acme, id: "two").error?.code == .malformedJSON)
            #expect(try stage.ask(kind, body, by: acme, id: "two").duplicate == false)
        }
    }

    @Test("Another payload under an id that was used is a conflict, and does nothing")
    func otherPayload() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            _ = try stage.ask("tenant.create", #"{"slug":"shop","display_name":"Shop"}"#, by: acme, id: "one")
            let other = try stage.ask("tenant.create", #"{"slug":"bar","display_name":"Bar"}"#, by: acme, id: "one")
            #expect(other.error?.code == .conflict)
            #expect(try stage.texts("select slug from tenantry.tenants") == ["shop"])
        }
    }

    @Test("The ids of a tenant's credentials are its own: the account and its other tenants may use the same ones")
    func siblings() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            for slug in ["shop", "bar"] { try stage.makeTenant(slug, by: acme) }
            let body = #"{"conversation_id":"c"}"#
            let senders = [acme, Self.token(of: "shop"), Self.token(of: "bar")]
            for (sender, tenant) in zip(senders, ["shop", "shop", "bar"]) {
                let answer = try stage.ask("conversation.erase", body, tenant: tenant, by: sender, id: "one")
                #expect(answer.status == .succeeded && !answer.duplicate, "\(answer)")
            }
            #expect(
                try stage.texts("select scope from tenantry.inbox where job_id = 'one' order by scope") == ["", "bar", "shop"])
            #expect(try stage.ask("conversation.erase", body, tenant: "shop", by: senders[1], id: "one").duplicate)
        }
    }

    private static func token(of tenant: String) -> Principal {
        Principal(key: "tok_\(tenant)", role: .token, account: "acme", tenant: tenant, scopes: [.conversationErase])
    }

    @Test("An id that was used for another kind is a conflict")
    func otherKind() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            _ = try stage.ask("tenant.create", #"{"slug":"shop","display_name":"Shop"}"#, by: acme, id: "one")
            let other = try stage.ask("tenant.suspend", "{}", tenant: "shop", by: acme, id: "one")
            #expect(other.error?.code == .conflict)
            #expect(try stage.texts("select state from tenantry.tenants") == ["active"])
        }
    }

    /// How often anything was written in this transaction, table by table.
    private func written(_ stage: HandlerStage) throws -> [String] {
        try stage.texts(
            """
            select schemaname || '.' || relname || ' ' || n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables order by 1
            """)
    }
}
