internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Tenants

/// `tenant.delete` as a purge, and the leader's duty.
@Suite(.serialized) struct TenantPurgeTests {
    /// An account with the tenants `shop`, which has something of everything, and `blog`.
    private func full(_ fleet: TestFleet) throws -> String {
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account, #","settings":{"a":1,"b":2},"limits":{"messages":1000}"#)
        try fleet.makeTenant("blog", token: account)
        for tenant in ["shop", "blog"] {
            _ = try fleet.ask(
                "conversation.log", TestFleet.log(["1", "2", "3"], conversation: "c1"), tenant: tenant, token: account)
            _ = try fleet.ask(
                "conversation.log", TestFleet.log(["4"], conversation: "c2", user: "v"), tenant: tenant, token: account)
            let documents = ["a", "b"].map {
                #"{"external_id":"\#($0)","title":"t","media_type":"text/plain","content":"text \#($0)"}"#
            }
            _ = try fleet.ask(
                "corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: tenant, token: account)
        }
        return account
    }

    private static let rows: JSONValue = [
        "messages": 4, "conversations": 2, "active_users": 2, "documents": 2, "chunks": 2, "settings": 2, "usage_hourly": 0,
        "usage_daily": 0,
    ]

    @Test("A purge takes away all there was, proves it, and leaves what is billed and the slug; its repeat gets the same report")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try full(fleet)
        let token = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        _ = try fleet.ask(
            "admin.create", #"{"email":"a@shop.example","display_name":"A","role":"tenant_admin"}"#, tenant: "shop",
            token: account)
        _ = try await ears.hear(fleet)
        let usage =
            "select messages * 1000 + conversations * 100 + active_users * 10 from tenantry.tenant_usage where tenant = 'shop' and messages > 0"
        #expect(try fleet.number(usage) == 4_220)

        let answer = try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account, id: "end")
        let report: JSONValue = ["schema": "tenant_shop", "schema_is_gone": true, "rows": Self.rows]
        #expect(answer.result == ["tenant": "shop", "state": "purged", "purged": report])
        #expect(try fleet.number("select count(*) from pg_namespace where nspname = 'tenant_shop'") == 0)
        #expect(try fleet.number("select count(*) from tenantry.migrations where schema_name = 'tenant_shop'") == 0)
        #expect(
            try fleet.texts("select account || schema_name || schema_is_gone || (row_counts->>'messages') from tenantry.purges")
                == ["acmetenant_shoptrue4"])
        #expect(
            try fleet.number(
                "select count(*) from tenantry.tenants where slug = 'shop' and state = 'purged' and purged_at is not null") == 1)
        #expect(try fleet.number("select count(*) from tenantry.credentials where tenant = 'shop' and revoked_at is null") == 0)
        #expect(try fleet.number("select count(*) from tenantry.administrators") == 0)
        #expect(try fleet.number("select count(*) from tenantry.custom_limits") == 0)
        #expect(try fleet.number(usage) == 4_220, "it may be billed yet")
        #expect(
            try fleet.number(
                "select documents + corpus_bytes from tenantry.tenant_usage where tenant = 'shop' and period_start = '-infinity'")
                == 0)
        #expect(try fleet.pool("documents", of: "acme") == 2)
        #expect(try fleet.pool("corpus_bytes", of: "acme") == 12)
        #expect(try fleet.pool("child_tenants", of: "acme") == 1)
        #expect(try fleet.pool("messages", of: "acme") == 8)
        #expect(try fleet.number("select count(*) from tenant_blog.messages") == 4, "its neighbour has all of its own")
        let events = try await ears.hear(fleet)
        #expect(events.map(\.key) == ["tenant.purged.acme.shop"] && events.first?.body["purged"] == report)
        #expect(
            try fleet.texts(
                "select role || ' ' || job_id || ' ' || (details->'result'->'purged'->'rows'->>'messages') from tenantry.audit_log where kind = 'tenant.delete'"
            )
                == ["account end 4"])

        let again = try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account, id: "end")
        #expect(again.duplicate && again.result == answer.result, "\(again)")
        let other = try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account)
        #expect(other.error?.code == .tenantUnknown)
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["5"]), tenant: "shop", token: account).error?.code == .tenantUnknown)
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["5"]), tenant: "shop", token: token).error?.code == .unauthenticated)
        #expect(try fleet.ask("tenant.create", #"{"slug":"shop","display_name":"x"}"#, token: account).error?.code == .slugTaken)
        #expect(try fleet.strays() == [])
        #expect(try await ears.hear(fleet) == [])
        await fleet.stop()
    }

    @Test(
        "An archive with retention 0 is purged by the leader, once, with the same report, and the audit log says that it was the fleet"
    )
    func byTheDuty() async throws {
        let fleet = try await TestFleet()
        let ears = try TenantEars(fleet)
        try fleet.startWorker()
        let account = try full(fleet)
        _ = try fleet.ask("tenant.delete", "{}", tenant: "blog", token: account)
        _ = try await ears.hear(fleet)
        _ = try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: account)
        #expect(
            try fleet.ask("tenant.delete", #"{"retention_days":0}"#, tenant: "shop", token: account).result?["state"]
                == "archived")
        try await eventually("the leader purges it") { try fleet.state(of: "shop") == "purged" }
        #expect(try fleet.state(of: "blog") == "archived", "its time has not come")
        let events = try await ears.hear(fleet)
        #expect(events.map(\.key) == ["tenant.archived.acme.shop", "tenant.purged.acme.shop", "tenant.suspended.acme.shop"])
        #expect(events[1].id == "tenant.purged/acme/shop/purge-shop")
        #expect(events[1].body["purged"] == ["schema": "tenant_shop", "schema_is_gone": true, "rows": Self.rows])
        #expect(
            try fleet.texts(
                """
                select concat_ws('|', account, tenant, credential, role, actor, kind, job_id, details->'result'->'purged'->'rows'->>'settings')
                from tenantry.audit_log where role = 'fleet'
                """) == ["acme|shop|fleet|fleet|fleet|tenant.delete|purge-shop|2"])
        #expect(try fleet.pool("child_tenants", of: "acme") == 0, "the archive had given its place back")
        #expect(try fleet.pool("documents", of: "acme") == 2)
        #expect(try fleet.strays() == [])
        #expect(try fleet.ask("tenant.restore", "{}", tenant: "shop", token: account).error?.code == .tenantUnknown)
        await fleet.stop()
    }

    @Test(
        "A tenant that cannot be purged now is named, left as it was, and keeps none of the others; then it is let alone for a while"
    )
    func oneThatFails() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        for slug in ["t1", "t2", "t3"] {
            try fleet.makeTenant(slug, token: account)
            _ = try fleet.ask("tenant.delete", "{}", tenant: slug, token: account)
        }
        await fleet.stop()
        try fleet.database.run(script: "update tenantry.tenants set purge_at = now() - interval '1 hour' where slug <> 't3'")
        // As a dump would: it reads, and does not end.
        try fleet.database.run(script: "begin; select from tenant_t1.documents")
        var leader = try Connection(ConnectionOptions(url: fleet.databaseURL))
        let purges = DuePurges()
        let failure = #expect(throws: PurgesFailed.self) { while true { try purges.run(on: &leader) } }
        #expect(failure?.failures.map(\.tenant) == ["t1"])
        #expect("\(try #require(failure))".hasPrefix("could not be purged: tenant t1: "))
        try purges.run(on: &leader)
        try fleet.database.run(script: "commit")
        #expect(try fleet.state(of: "t1") == "archived")
        #expect(try fleet.state(of: "t2") == "purged")
        #expect(try fleet.state(of: "t3") == "archived")
        #expect(try fleet.number("select count(*) from tenant_t1.messages") == 0, "its schema is whole")
        try DuePurges().run(on: &leader)
        #expect(try fleet.state(of: "t1") == "purged")
        #expect(try fleet.strays() == [])
    }

    @Test("A purge that meets a long reader climbs the ladder; meanwhile the tenant's messages go through, and then it is purged")
    func longReader() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.ladder = RetryLadder(delaysMilliseconds: Array(repeating: 500, count: 100)) }
        let account = try full(fleet)
        // As a dump would: it reads, and does not end.
        try fleet.database.run(script: "begin; select from tenant_shop.messages")
        try fleet.send("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account, id: "end")
        var watcher = try Connection(ConnectionOptions(url: fleet.databaseURL))
        for id in ["during", "between", "after"] {
            try await eventually("the purge waits for the reader") {
                try watcher.query(
                    "select count(*) from pg_locks where not granted and relation = 'tenant_shop.messages'::regclass"
                ).only(Int64.self) > 0
            }
            let logged = try fleet.ask("conversation.log", TestFleet.log([id]), tenant: "shop", token: account)
            #expect(logged.status == .succeeded, "\(logged)")
        }
        try await eventually("the purge is on the ladder") {
            try watcher.query("select coalesce(sum(deferred), 0)::int8 from tenantry.workers").only(Int64.self) > 0
        }
        try fleet.database.run(script: "commit")
        let answer = try fleet.answer(to: "end")
        #expect(answer.result?["purged"]?["rows"]?["messages"] == 7, "\(answer)")
        #expect(try fleet.strays() == [])
        await fleet.stop()
    }

    @Test(
        "While the leader is at a purge, pools are swept and alerts go out; a drain does not wait for it beyond its bounds")
    func aside() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.drainSeconds = 1 }
        let account = try full(fleet)
        // The purge is held as long as this connection likes; its own patience is not for this.
        try fleet.database.run(
            script: """
                select pg_advisory_lock(42);
                create function hold() returns trigger language plpgsql as $$
                begin
                    perform set_config('lock_timeout', '0', true);
                    perform pg_advisory_xact_lock(42);
                    return new;
                end $$;
                create trigger hold before insert on tenantry.purges for each row execute function hold();
                """)
        let isHeld = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        _ = try fleet.ask("tenant.delete", #"{"retention_days":0}"#, tenant: "shop", token: account)
        try await eventually("the leader is at the purge") { try fleet.number(isHeld) == 1 }
        _ = try fleet.ask("conversation.log", TestFleet.log(["5", "6"], conversation: "c3"), tenant: "blog", token: account)
        try await eventually("the pool is swept") { try fleet.pool("messages", of: "acme") == 10 }
        try await eventually("the outbox is relayed") { try fleet.number("select count(*) from tenantry.outbox") == 0 }
        #expect(try fleet.number(isHeld) == 1)
        #expect(try fleet.state(of: "shop") == "archived")
        await fleet.stop()
        #expect(try fleet.number(isHeld) == 1, "the worker has ended before it")
        try fleet.database.run(script: "select pg_advisory_unlock(42)")
        try await eventually("the purge has come through") { try fleet.state(of: "shop") == "purged" }
        #expect(try fleet.strays() == [])
    }

    @Test(
        "Jobs that were let through and then find no schema climb the ladder and end as tenant_unknown; their neighbours and the lane go on"
    )
    func schemaGone() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.lanes[.conversation] = 1 }
        let account = try full(fleet)
        // The lane waits for the table until the tenant is gone with it.
        try fleet.database.run(script: "begin; lock table tenant_shop.messages in access exclusive mode")
        for id in ["a", "b", "c"] {
            try fleet.send("conversation.log", TestFleet.log(["shop-\(id)"]), tenant: "shop", token: account, id: "shop-\(id)")
            try fleet.send("conversation.log", TestFleet.log(["blog-\(id)"]), tenant: "blog", token: account, id: "blog-\(id)")
        }
        var watcher = try Connection(ConnectionOptions(url: fleet.databaseURL))
        try await eventually("the lane waits for the table") {
            try watcher.query("select count(*) from pg_locks where not granted and relation = 'tenant_shop.messages'::regclass")
                .only(Int64.self) > 0
        }
        _ = try fleet.database.transaction { database in try TenantPurge.run("shop", jobID: "by hand", on: &database) }
        try fleet.database.run(script: "commit")
        for id in ["a", "b", "c"] {
            #expect(try fleet.answer(to: "shop-\(id)").error?.code == .tenantUnknown)
            #expect(try fleet.answer(to: "blog-\(id)").result?["accepted"] == 1)
        }
        #expect(try fleet.number("select count(*) from tenant_blog.messages") == 7)
        #expect(try fleet.ask("conversation.log", TestFleet.log(["later"]), tenant: "blog", token: account).status == .succeeded)
        #expect(try fleet.pool("messages", of: "acme") == 12)
        await fleet.stop()
    }

    @Test(
        "Purges in the midst of traffic: what was logged before is counted, no job is lost and no lane, and all others' messages are there"
    )
    func inTraffic() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.lanes[.conversation] = 3 }
        let account = try fleet.makeAccount("acme")
        let tenants = (0..<6).map { "t\($0)" }
        for tenant in tenants { try fleet.makeTenant(tenant, token: account) }
        var ids: [(id: String, tenant: String)] = []
        for index in 0..<600 {
            let tenant = tenants[index % tenants.count]
            ids.append(("job-\(index)", tenant))
            try fleet.send("conversation.log", TestFleet.log(["\(index)"]), tenant: tenant, token: account, id: "job-\(index)")
            guard index % 200 == 100 else { continue }
            let gone = tenants[index / 200]
            try fleet.send("tenant.delete", #"{"mode":"purge"}"#, tenant: gone, token: account, id: "purge-\(gone)")
        }
        var purgedRows: Int64 = 0
        for tenant in tenants.prefix(3) {
            let answer = try fleet.answer(to: "purge-\(tenant)")
            guard case .int(let rows)? = answer.result?["purged"]?["rows"]?["messages"] else { throw TestFailure("\(answer)") }
            purgedRows += rows
        }
        var logged: [String: Int] = [:]
        for (id, tenant) in ids {
            let answer = try fleet.answer(to: id)
            if answer.status == .succeeded {
                logged[tenant, default: 0] += 1
            } else {
                #expect(answer.error?.code == .tenantUnknown, "\(answer)")
            }
        }
        #expect(tenants.suffix(3).allSatisfy { logged[$0] == 100 })
        #expect(tenants.prefix(3).reduce(0) { $0 + (logged[$1] ?? 0) } == Int(purgedRows))
        #expect(try fleet.pool("messages", of: "acme") == 300 + purgedRows)
        #expect(try fleet.strays() == [])
        await fleet.stop()
        // A backend's statistics are complete when it has ended.
        #expect(try fleet.number("select deadlocks from pg_stat_database where datname = current_database()") == 0)
    }
}
