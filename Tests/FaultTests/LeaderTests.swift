internal import AMQP
internal import Contract
internal import Glibc
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("The leader", .serialized)
    struct Leader {
        @Test(
            "A leader killed after it has published alerts and before it could note it is followed by the other worker, which sends them again"
        )
        func killed() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 6, jobs: 1_200)
            try stage.subscribe("subscriber")
            var workers = try (0..<2).map { _ in try stage.startWorker() }
            var leader = 0
            try await eventually("somebody leads") {
                leader = try stage.number("select pid::int8 from tenantry.workers where leads")
                return leader > 0
            }
            // Whoever notes that an alert is out waits as long as this connection holds the lock.
            try stage.run(
                """
                select pg_advisory_lock(42);
                create function hold() returns trigger language plpgsql as $$
                begin
                    perform pg_advisory_xact_lock(42);
                    return new;
                end $$;
                create trigger hold before update of published_at on tenantry.alerts for each row execute function hold();
                """)
            try traffic.send(on: stage)
            try await eventually("the leader has published and cannot note it") {
                try stage.number("select count(*) from pg_locks where locktype = 'advisory' and not granted") == 1
            }
            let sent = try stage.takeAll(from: "subscriber").map { $0.messageID ?? "" }
            #expect(!sent.isEmpty)
            try #expect(stage.number("select count(*) from tenantry.alerts where published_at is not null") == 0)
            let index = try #require(workers.firstIndex { Int($0.pid) == leader })
            try await workers.remove(at: index).kill()
            try stage.run("select pg_advisory_unlock(42); drop trigger hold on tenantry.alerts")

            try await traffic.settle(on: stage)
            for worker in workers { try #expect(await worker.terminate(within: 30) == .exit(0)) }
            let again = try stage.takeAll(from: "subscriber").map { $0.messageID ?? "" }
            #expect(Set(sent).isSubset(of: again))
            let alerts = try stage.table("select id::text from tenantry.alerts").map { $0[0] }
            #expect(again.sorted() == alerts.sorted())
            try traffic.expectExact(on: stage)
        }
    }
}
