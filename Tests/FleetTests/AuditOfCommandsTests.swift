internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import People
internal import Postgres
internal import TestSupport
internal import Testing

/// What is on record beside the jobs that succeeded.
@Suite struct AuditOfCommandsTests {
    @Test("Operators' credentials, issued and revoked, leave a row each, without the secret")
    func operators() async throws {
        let fleet = try await TestFleet()
        let token = try OperatorCredential.issue(name: "night shift", by: "ada", on: &fleet.database)
        let parts = token.split(separator: ".").map { String($0) }
        #expect(try OperatorCredential.revoke(parts[0], by: "bob", on: &fleet.database))
        #expect(try !OperatorCredential.revoke(parts[0], by: "bob", on: &fleet.database))
        let rows = try fleet.texts(
            "select actor || ' ' || kind || ' ' || details::text from tenantry.audit_log where kind like 'operator.%' order by id"
        )
        #expect(
            rows.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                "ada operator.issue", "bob operator.revoke",
            ])
        #expect(rows.allSatisfy { $0.contains(parts[0]) && !$0.contains(parts[1]) })
    }

    @Test("A sign-in leaves a row; wrong ones are counted by the minute, under the address if there is one")
    func signIns() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        let person = #"{"email":"ada@x.ch","display_name":"Ada","role":"account_admin","password":"correct horse"}"#
        #expect(try fleet.ask("admin.create", person, token: acme).status == .succeeded)
        func signIn(_ email: String, _ password: String) throws -> String {
            try SignIn.run(email: email, password: password, account: nil, tenant: nil, on: &fleet.database).token
        }
        let token = try signIn("Ada@x.ch", "correct horse")
        for _ in 0..<3 { #expect(throws: SignIn.Refusal.self) { try signIn("ada@x.ch", "battery staple") } }
        #expect(throws: SignIn.Refusal.self) { try signIn("eve\u{1B}[2J@x.ch", "battery staple") }
        #expect(
            try fleet.texts(
                "select concat_ws(' ', account, role, actor, credential) from tenantry.audit_log where kind = 'admin.sign_in'")
                == ["acme account_admin ada@x.ch \(token.split(separator: ".")[0])"])
        let refused = try fleet.texts(
            """
            select key || ' ' || sum(jobs) from tenantry.refused_jobs where kind = 'admin.sign_in' and code = 'unauthenticated'
            group by key order by key
            """)
        #expect(refused == [" 1", "ada@x.ch 3"])
        for secret in ["correct horse", "battery staple", String(token.split(separator: ".")[1])] {
            #expect(try fleet.number("select count(*) from tenantry.audit_log l where strpos(l::text, '\(secret)') > 0") == 0)
            #expect(try fleet.number("select count(*) from tenantry.refused_jobs l where strpos(l::text, '\(secret)') > 0") == 0)
        }
        await fleet.stop()
    }

    @Test("Refused jobs are counted by minute, kind, code and key; of a stranger nothing is kept that the stranger says")
    func refused() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        for _ in 0..<3 { #expect(try fleet.ask("tenant.create", "{}", token: acme).error?.code == .invalidPayload) }
        #expect(try fleet.ask("account.create", "{}", token: acme).error?.code == .forbidden)
        _ = try fleet.ask("usage.aggregate", "{}", token: "somebody.secret")
        let key = String(acme.split(separator: ".")[0])
        let rows = try fleet.texts(
            """
            select concat_ws(' ', kind, code, coalesce(nullif(key, ''), '-'), sum(jobs)) from tenantry.refused_jobs
            group by kind, code, key order by 1
            """)
        #expect(
            rows == [
                "account.create forbidden \(key) 1", "tenant.create invalid_payload \(key) 3",
                "usage.aggregate unauthenticated - 1",
            ])
        #expect(
            try fleet.texts("select distinct account from tenantry.refused_jobs where kind = 'tenant.create'") == ["acme"])
        await fleet.stop()
    }

    @Test("Documents that come and go leave rows that say which, and nothing of what is in them")
    func corpus() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: acme)
        func ingest(_ count: Int) throws {
            let documents = (0..<count).map {
                #"{"external_id":"document-\#($0)","title":"secret title","media_type":"text/plain","content":"secret words \#($0)"}"#
            }
            let body = #"{"documents":[\#(documents.joined(separator: ","))]}"#
            #expect(try fleet.ask("corpus.ingest", body, tenant: "shop", token: acme).status == .succeeded)
        }
        try ingest(2)
        try ingest(900)
        let removal = #"{"external_ids":["document-1"]}"#
        #expect(try fleet.ask("corpus.remove", removal, tenant: "shop", token: acme).status == .succeeded)
        let rows = try fleet.texts(
            "select kind || ' ' || tenant || ' ' || details::text from tenantry.audit_log where kind like 'corpus.%' order by id")
        #expect(rows.count == 3 && rows.allSatisfy { !$0.contains("secret") && $0.utf8.count < 20_000 })
        #expect(rows[0].contains("document-1") && rows[1].contains("900") && rows[2].contains("document-1"))
        await fleet.stop()
    }

    @Test("Who only reads records that something was read, and can neither forge nor remove what is on record")
    func readings() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: acme)
        var reader = try Postgres.Connection(ConnectionOptions(url: fleet.testDatabase.readerURL))
        try AccessRecord.write(.export, of: "shop", by: .user("ada"), on: &reader)
        try AccessRecord.write(
            .search, of: "shop", by: .user("bob"), details: ["payload": ["query": "opening hours"]], on: &reader)
        try AccessRecord.write(.search, of: "nobodys", by: .user("bob"), on: &reader)
        let rows = try fleet.texts(
            """
            select concat_ws(' ', account, tenant, actor, kind, details -> 'payload' ->> 'query') from tenantry.audit_log
            where role = 'operator' and job_id = '' and kind in ('tenant.export', 'corpus.search') order by id
            """)
        #expect(rows == ["acme shop ada tenant.export", "acme shop bob corpus.search opening hours"])
        for forbidden in [
            "select tenantry.record_reading('account.create', 'shop', 'ada', '{}')",
            "select tenantry.record_reading('tenant.export', 'shop', repeat('x', 201), '{}')",
            "select tenantry.record_reading('tenant.export', 'shop', 'ada', jsonb_build_object('a', (select string_agg(md5(i::text), '') from generate_series(1, 400) i)))",
            "insert into tenantry.audit_log (account) values ('acme')", "delete from tenantry.audit_log",
            "update tenantry.refused_jobs set jobs = 0", "select tenantry.forget_refused_jobs()",
        ] {
            #expect(throws: PostgresError.self, "\(forbidden)") { _ = try reader.query(Statement(forbidden)) }
        }
        var worker = try Postgres.Connection(ConnectionOptions(url: fleet.workerDatabaseURL))
        for forbidden in [
            "delete from tenantry.refused_jobs", "update tenantry.refused_jobs set key = ''", "delete from tenantry.audit_log",
        ] {
            #expect(throws: PostgresError.self, "\(forbidden)") { _ = try worker.query(Statement(forbidden)) }
        }
        _ = try worker.query("select tenantry.forget_refused_jobs()")
        await fleet.stop()
    }
}
