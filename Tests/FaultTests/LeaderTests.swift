internal import AMQP
internal import Contract
internal import Glibc
internal import Postgres
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
            let sent = try await sentAndNotNoted(traffic, on: stage)
            try #expect(stage.number("select count(*) from tenantry.alerts where published_at is not null") == 0)
            let index = try #require(workers.firstIndex { Int($0.pid) == leader })
            try await workers.remove(at: index).kill()
            try stage.run("delete from public.hold")

            try await traffic.settle(on: stage)
            for worker in workers { try #expect(await worker.terminate(within: 30) == .exit(0)) }
            let again = try stage.takeAll(from: "subscriber").map { $0.messageID ?? "" }
            #expect(Set(sent).isSubset(of: again))
            let alerts = try stage.table("select id::text from tenantry.alerts").map { $0[0] }
            #expect(again.sorted() == alerts.sorted())
            try traffic.expectExact(on: stage)
        }

        @Test(
            "A leader that is frozen is followed by the other worker; when it wakes, it leads no more, and every alert is out once"
        )
        func frozen() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 6, jobs: 1_200)
            try stage.subscribe("subscriber")
            let workers = try (0..<2).map { _ in try stage.startWorker() }
            try await eventually("somebody leads") { try leaders(on: stage).count == 1 }
            let first = try leaders(on: stage)[0]
            let token = try stage.number("select token from tenantry.leases where name = 'leader'")
            let frozen = try #require(workers.first { Int($0.pid) == first })
            Glibc.kill(frozen.pid, SIGSTOP)
            try traffic.send(on: stage)
            try await eventually("the other one leads") { try leaders(on: stage) != [first] && leaders(on: stage).count == 1 }
            try #expect(stage.number("select token from tenantry.leases where name = 'leader'") == token + 1)
            Glibc.kill(frozen.pid, SIGCONT)
            try await traffic.settle(on: stage)
            try #expect(leaders(on: stage) != [first])
            for worker in workers { try #expect(await worker.terminate(within: 30) == .exit(0)) }
            try traffic.expectExact(on: stage, alertsIn: "subscriber")
        }

        @Test("A leader that was frozen in a transaction does not commit it when another one leads, which sends the alerts again")
        func frozenInTransaction() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 6, jobs: 1_200)
            try stage.subscribe("subscriber")
            let workers = try (0..<2).map { _ in try stage.startWorker() }
            try await eventually("somebody leads") { try leaders(on: stage).count == 1 }
            let first = try leaders(on: stage)[0]
            let sent = try await sentAndNotNoted(traffic, on: stage)
            Glibc.kill(pid_t(first), SIGSTOP)
            try await eventually("the other one leads") { try leaders(on: stage) != [first] && leaders(on: stage).count == 1 }
            try stage.run("delete from public.hold")
            Glibc.kill(pid_t(first), SIGCONT)
            try await traffic.settle(on: stage)
            for worker in workers { try #expect(await worker.terminate(within: 30) == .exit(0)) }
            let again = try stage.takeAll(from: "subscriber").map { $0.messageID ?? "" }
            #expect(Set(sent).isSubset(of: again), "what the first one had sent was not committed")
            try traffic.expectExact(on: stage)
        }

        @Test("A transaction under a lease that is over does not commit")
        func fenced() async throws {
            let stage = try await Stage()
            try stage.run(
                "insert into tenantry.leases values ('leader', 'a', 7, clock_timestamp() + interval '1 hour'); create table public.t (n int)"
            )
            stage.database.fence = "select tenantry.require_lease('leader', 7)"
            try stage.database.transaction { database in _ = try database.query("insert into public.t values (1)") }
            func isFenced(_ body: (inout Transaction) throws -> Void) throws -> Bool {
                do {
                    try stage.database.transaction(body)
                    return false
                } catch let error as PostgresError {
                    return error.isFenced
                }
            }
            var others = try Postgres.Connection(ConnectionOptions(url: stage.databaseURL, applicationName: "test"))
            let isEndedAtCommit = try isFenced { database in
                _ = try database.query("insert into public.t values (2)")
                _ = try others.query("update tenantry.leases set token = 8, holder = 'b'")
            }
            #expect(isEndedAtCommit)
            let isEndedAtBeginning = try isFenced { _ = try $0.query("insert into public.t values (3)") }
            #expect(isEndedAtBeginning)
            stage.database.fence = nil
            try #expect(stage.table("select n::text from public.t") == [["1"]])
        }

        /// Whose lease holds, by process id.
        private func leaders(on stage: Stage) throws -> [Int] {
            try stage.table(
                """
                select w.pid::text from tenantry.leases l join tenantry.workers w on w.id = l.holder
                where l.name = 'leader' and l.expires_at > clock_timestamp()
                """
            ).compactMap { Int($0[0]) }
        }

        /// Sends jobs and waits until the leader has published alerts and cannot note it: as long as there is a row in `public.hold`.
        ///
        /// - Returns: the ids of what the leader has sent.
        private func sentAndNotNoted(_ traffic: Traffic, on stage: Stage) async throws -> [String] {
            // No lock is waited for, which would end soon by itself.
            try stage.run(
                """
                create table public.hold as select 1 as n;
                create function hold() returns trigger language plpgsql security definer as $$
                begin
                    while exists (select from public.hold) loop perform pg_sleep(0.05); end loop;
                    return new;
                end $$;
                create trigger hold before update of published_at on tenantry.alerts for each row execute function hold();
                """)
            try traffic.send(on: stage)
            try await eventually("the leader has published and cannot note it") {
                try stage.number("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == 1
            }
            let sent = try stage.takeAll(from: "subscriber").map { $0.messageID ?? "" }
            #expect(!sent.isEmpty)
            return sent
        }
    }
}
