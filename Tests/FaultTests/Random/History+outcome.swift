internal import Contract
internal import Postgres
internal import TestSupport
internal import Testing

extension History {
    /// Compares what was told with what is there.
    func expectExact(on stage: Stage, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectSubjects(on: stage, sourceLocation)
        for (slug, tenant) in tenants.sorted(by: { $0.key < $1.key }) {
            try expectExact(slug, tenant, on: stage, sourceLocation)
        }
        try expectWebhooks(on: stage, sourceLocation)
        try expectJobsOnce(on: stage, sourceLocation)
    }

    /// Each webhook is there once, with two secrets at most, and each event waits for its listener once.
    private func expectWebhooks(on stage: Stage, _ sourceLocation: SourceLocation) throws {
        let found = try stage.table(
            """
            select w.id, w.state, count(s.id)::text from tenantry.webhooks w left join tenantry.webhook_secrets s on s.webhook = w.id
            where w.account = '\(account)' group by w.id
            """)
        #expect(
            found.map { "\($0[0]) \($0[1])" }.sorted() == webhooks.map { "\($0) \($1)" }.sorted(), "webhooks",
            sourceLocation: sourceLocation)
        #expect(
            found.allSatisfy { $0[2] == ($0[0] == listener ? "1" : "2") }, "secrets of webhooks", sourceLocation: sourceLocation)
        let deliveries = try stage.table(
            """
            select e.name || ' ' || count(*) from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = '\(listener ?? "")' group by e.name
            """)
        #expect(
            deliveries.map { $0[0] }.sorted() == delivered.map { "\($0) \($1)" }.sorted(), "deliveries",
            sourceLocation: sourceLocation)
    }

    private func expectSubjects(on stage: Stage, _ sourceLocation: SourceLocation) throws {
        let found = try stage.table(
            "select slug, state, display_name from tenantry.tenants where account = '\(account)' order by slug collate \"C\"")
        let expected = tenants.sorted { $0.key < $1.key }.map { [$0.key, $0.value.state, $0.value.displayName] }
        #expect(found == expected, "tenants of \(account)", sourceLocation: sourceLocation)
        try #expect(
            stage.table("select display_name from tenantry.accounts where slug = '\(account)'") == [[displayName]],
            sourceLocation: sourceLocation)
        let people = try stage.table("select email from tenantry.administrators where account = '\(account)'").map { $0[0] }
        #expect(people.sorted() == administrators.sorted(), "administrators", sourceLocation: sourceLocation)
        let kept = try stage.table(
            "select template || '/' || external_id from tenantry.template_documents where account = '\(account)'")
        #expect(
            kept.map { $0[0] }.sorted() == templates.flatMap { name, ids in ids.map { "\(name)/\($0)" } }.sorted(), "templates",
            sourceLocation: sourceLocation)
        let invoices = try stage.number("select count(*) from tenantry.invoices where account = '\(account)' and tenant is null")
        #expect(invoices == (closedPeriod == nil ? 0 : 1), "invoices", sourceLocation: sourceLocation)
        let children = try stage.number(
            "select child_tenants from tenantry.account_usage where account = '\(account)' and period_start = '-infinity'")
        #expect(
            children == tenants.values.count { $0.state == "active" || $0.state == "suspended" }, "child tenants",
            sourceLocation: sourceLocation)
    }

    private func expectExact(_ slug: String, _ tenant: Tenant, on stage: Stage, _ sourceLocation: SourceLocation) throws {
        let schema = "tenant_" + slug.replacing("-", with: "_")
        func expect(_ what: String, _ sql: String, _ expected: [String]) throws {
            let found = try stage.table(sql).map { $0.joined(separator: "=") }.sorted()
            #expect(found == expected.sorted(), "\(what) of \(slug)", sourceLocation: sourceLocation)
        }
        try expect(
            "what was counted",
            """
            select coalesce(sum(messages), 0)::text, coalesce(sum(conversations), 0)::text, coalesce(sum(active_users), 0)::text
            from tenantry.tenant_usage where tenant = '\(slug)' and period_start > '-infinity'
            """, ["\(tenant.logged)=\(tenant.conversations)=\(tenant.users.count)"])
        let isThere = try stage.number("select count(*) from pg_namespace where nspname = '\(schema)'") == 1
        #expect(isThere == (tenant.state != "purged"), "schema of \(slug)", sourceLocation: sourceLocation)
        guard isThere, tenant.state != "purged" else { return }
        try expect("settings", "select key, value::text from \(schema).settings", tenant.settings.map { "\($0)=\($1)" })
        try expect(
            "documents",
            "select external_id from \(schema).documents d where chunk_count > 0 and chunk_count = "
                + "(select count(*) from \(schema).chunks c where c.external_id = d.external_id)", Array(tenant.documents))
        try expect(
            "counted documents",
            "select coalesce(sum(documents), 0)::text from tenantry.tenant_usage where tenant = '\(slug)' and period_start = '-infinity'",
            ["\(tenant.documents.count)"])
        try expect("messages", "select id from \(schema).messages", Array(tenant.messages))
        try expect(
            "ratings", "select id, rating::text from \(schema).messages where rating is not null",
            tenant.ratings.map { "\($0)=\($1)" })
        try expect(
            "tokens",
            "select key, (revoked_at is not null and revoked_at <= now())::text from tenantry.credentials "
                + "where tenant = '\(slug)' and role = 'token'", tenant.tokens.map { "\($0)=\($1)" })
    }

    /// Each job that succeeded was done once: its answer is kept once, and so is what the audit says of it.
    private func expectJobsOnce(on stage: Stage, _ sourceLocation: SourceLocation) throws {
        let succeeded = told.filter { $0.answer.status == .succeeded }
        let kept = try stage.table("select job_id from tenantry.inbox where job_id like '\(account)-%'").map { $0[0] }
        #expect(
            kept.sorted() == succeeded.filter { $0.kind.hasInbox }.map(\.id).sorted(), "answers kept",
            sourceLocation: sourceLocation)
        let audited = try stage.table("select distinct job_id, kind from tenantry.audit_log where job_id like '\(account)-%'")
        #expect(
            audited.map { $0[0] }.sorted() == succeeded.filter { $0.kind.isAudited }.map(\.id).sorted(), "audit",
            sourceLocation: sourceLocation)
    }
}
