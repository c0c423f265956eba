internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker killed in the middle of a tenant's life", .serialized)
    struct TenantLife {
        /// Schemas without a row of theirs, and rows without a whole schema.
        private static let strays = """
            select (select count(*) from pg_namespace where nspname like 'tenant\\_%'
                    and not exists (select from tenantry.tenants where schema_name = nspname and state <> 'purged'))
                 + (select count(*) from tenantry.tenants t where state <> 'purged' and
                    (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                     where n.nspname = t.schema_name and c.relkind = 'r') <> 8)
            """

        private func prepare() async throws -> (Stage, String) {
            let stage = try await Stage()
            _ = try stage.broker.declareQueue("ears")
            try stage.broker.bindQueue("ears", exchange: Topology.eventsExchange, routingKey: "tenant.#")
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            try await expectNothingLeft(stage)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            try #expect(heard(stage) == ["tenant.created.acme.shop"])
            return (stage, token)
        }

        /// The routing keys of what was told of tenants, in order.
        private func heard(_ stage: Stage) throws -> [String] {
            try stage.takeAll(from: "ears").map(\.routingKey).sorted()
        }

        private func expectNothingLeft(_ stage: Stage) async throws {
            try await eventually("the outbox is empty and the pools are swept") {
                try stage.number("select (select count(*) from tenantry.outbox) + (select count(*) from tenantry.usage_deltas)")
                    == 0
            }
            try #expect(stage.number(Self.strays) == 0)
            try #expect(stage.takeDeadLetters() == [])
            try #expect(
                stage.number("select child_tenants from tenantry.account_usage where period_start = '-infinity'")
                    == stage.number("select count(*) from tenantry.tenants where state in ('active', 'suspended')"))
        }

        @Test("tenant.create, before and after its schema was made: nothing of it stays, and the next worker makes it once")
        func creation() async throws {
            let (stage, token) = try await prepare()
            for id in ["doom-before-one", "doom-after-two"] {
                let slug = String(id.suffix(3))
                try stage.post(
                    "tenant.create", #"{"slug":"\#(slug)","display_name":"x"}"#, token: token, id: id, replyTo: stage.answers)
                try stage.confirm()
                try #expect(await stage.startWorker(.doomed).ending(within: 60) == .signal(9))
                try #expect(stage.number("select count(*) from pg_namespace where nspname = 'tenant_\(slug)'") == 0)
                try #expect(stage.number("select count(*) from tenantry.tenants where slug = '\(slug)'") == 0)
                let worker = try stage.startWorker()
                let answer = try await stage.answer(to: id, in: stage.answers)
                #expect(answer.result == ["tenant": .string(slug), "schema": .string("tenant_\(slug)")] && !answer.duplicate)
                try await expectNothingLeft(stage)
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try #expect(heard(stage) == ["tenant.created.acme.\(slug)"])
            }
        }

        @Test(
            "tenant.create_many with some parts committed: the next worker makes the rest, and answers as if it had made them all"
        )
        func creationOfMany() async throws {
            let (stage, token) = try await prepare()
            let items = (0..<300).map { $0 == 150 ? #"{"slug":"shop"}"# : #"{"slug":"m-\#($0)"}"# }.joined(separator: ",")
            try stage.post(
                "tenant.create_many", #"{"defaults":{"display_name":"x"},"tenants":[\#(items)]}"#, token: token, id: "many",
                replyTo: stage.answers)
            try stage.confirm()
            let made = "select count(*) from tenantry.tenants where created_by = 'acme/many'"
            // The parts of these two wait as long as this connection holds their locks.
            try stage.run(
                """
                select pg_advisory_lock(40), pg_advisory_lock(200);
                create function hold() returns trigger language plpgsql as $$
                begin
                    perform pg_advisory_xact_lock(substr(new.slug, 3)::int);
                    return new;
                end $$;
                create trigger hold before insert on tenantry.tenants for each row when (new.slug in ('m-40', 'm-200'))
                    execute function hold();
                """)
            for held in [40, 200] {
                let killed = try stage.startWorker()
                try await eventually("the part of m-\(held) waits") {
                    try stage.number(
                        "select count(*) from pg_locks where locktype = 'advisory' and objid = \(held) and not granted") == 1
                }
                try await killed.kill()
                let count = try stage.number(made)
                #expect(count > 0 && count < held, "killed in the middle, with \(count)")
                try #expect(stage.number(Self.strays) == 0)
                try stage.run("select pg_advisory_unlock(\(held))")
            }
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "many", in: stage.answers)
            #expect(answer.result?["created"] == 299 && answer.result?["existing"] == 1 && answer.result?["rejected"] == 0)
            #expect(!answer.duplicate)
            try #expect(stage.number(made) == 299)
            try await expectNothingLeft(stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            // What the broker had and the dead could not mark as published comes again, under its own id.
            let events = try stage.takeAll(from: "ears").compactMap(\.messageID)
            #expect(Set(events) == Set((0..<300).filter { $0 != 150 }.map { "tenant.created/acme/m-\($0)/many" }))
        }

        @Test("a purge, before and after its effects: the tenant is whole or gone, and the report is the same")
        func purge() async throws {
            let (stage, token) = try await prepare()
            let setup = try stage.startWorker()
            let logged = try await stage.ask("conversation.log", TestFleet.log(["1", "2"]), tenant: "shop", token: token)
            #expect(logged.status == .succeeded)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            // Both wait for a worker; the first one dies with the one, and the second with the other.
            for id in ["doom-before-purge", "doom-after-purge"] {
                if id == "doom-after-purge" {
                    let maker = try stage.startWorker()
                    try await stage.makeTenant("blog", token: token)
                    _ = try await stage.ask("conversation.log", TestFleet.log(["1", "2"]), tenant: "blog", token: token)
                    try await expectNothingLeft(stage)
                    try #expect(await maker.terminate(within: 30) == .exit(0))
                }
                let slug = id == "doom-before-purge" ? "shop" : "blog"
                _ = try heard(stage)
                try stage.post("tenant.delete", #"{"mode":"purge"}"#, tenant: slug, token: token, id: id, replyTo: stage.answers)
                try stage.confirm()
                try #expect(await stage.startWorker(.doomed).ending(within: 60) == .signal(9))
                try #expect(stage.number("select count(*) from tenant_\(slug).messages") == 2, "all of it is there")
                try #expect(stage.number("select count(*) from tenantry.purges where tenant = '\(slug)'") == 0)
                let worker = try stage.startWorker()
                let answer = try await stage.answer(to: id, in: stage.answers)
                #expect(answer.result?["purged"]?["rows"]?["messages"] == 2 && !answer.duplicate, "\(answer)")
                try await expectNothingLeft(stage)
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try #expect(heard(stage) == ["tenant.purged.acme.\(slug)"])
                try #expect(stage.number("select count(*) from tenantry.purges where tenant = '\(slug)'") == 1)
            }
        }

        @Test("a purge, between its commit and its answer: the next worker gives the first report, as a duplicate")
        func purgeUnanswered() async throws {
            let (stage, token) = try await prepare()
            try stage.post("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: token, id: "end", replyTo: stage.answers)
            try stage.confirm()
            let gate = try Gate(to: stage.brokerURL, closedTo: .publish)
            let killed = try WorkerProcess(broker: gate.url(instead: stage.brokerURL), database: stage.databaseURL)
            try await eventually("the purge is committed") { try stage.number("select count(*) from tenantry.purges") == 1 }
            try await killed.kill()
            let worker = try stage.startWorker()
            let answer = try await stage.answer(to: "end", in: stage.answers)
            #expect(answer.duplicate && answer.result?["state"] == "purged", "\(answer)")
            #expect(answer.result?["purged"]?["schema_is_gone"] == true)
            try await expectNothingLeft(stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(heard(stage) == ["tenant.purged.acme.shop"])
        }

        @Test("the leader's purges, again and again: every archive is purged once, by whoever leads then")
        func duty() async throws {
            let (stage, token) = try await prepare()
            let setup = try stage.startWorker()
            let items = (0..<40).map { #"{"slug":"a-\#($0)","display_name":"x"}"# }.joined(separator: ",")
            #expect(try await stage.ask("tenant.create_many", #"{"tenants":[\#(items)]}"#, token: token).result?["created"] == 40)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            try stage.run(
                """
                update tenantry.tenants set state = 'archived', archived_at = now(), purge_at = now() where slug like 'a-%';
                insert into tenantry.usage_deltas (account, period_start, period_end, child_tenants) values ('acme', '-infinity', 'infinity', -40)
                """)
            let purged = "select count(*) from tenantry.purges"
            for least in [1, 15] {
                let killed = try stage.startWorker()
                try await eventually("\(least) are purged") { try stage.number(purged) >= least }
                try await killed.kill()
                try #expect(stage.number(Self.strays) == 0)
            }
            let worker = try stage.startWorker()
            try await eventually("all are purged", within: 120) { try stage.number(purged) == 40 }
            try await expectNothingLeft(stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.number("select count(*) from tenantry.audit_log where role = 'fleet'") == 40)
            let events = try stage.takeAll(from: "ears").filter { $0.routingKey.hasPrefix("tenant.purged") }.compactMap(
                \.messageID)
            #expect(Set(events).count == 40)
        }
    }
}
