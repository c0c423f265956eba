internal import Contract
internal import Embedded
internal import Foundation
internal import Glibc
internal import Postgres
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("PostgreSQL", .serialized)
    struct Database {
        @Test(
            "PostgreSQL is restarted and crashes while jobs flow: the workers come back, nobody's attempt is counted, every row is exact"
        )
        func restarted() async throws {
            try await withCluster { cluster, url in
                let stage = try await Stage(database: url)
                let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 10, jobs: 8_000)
                try stage.subscribe("subscriber")
                let workers = try (0..<2).map { _ in try stage.startWorker(.tenantry, ["TENANTRY_WORKER_BATCH": "50"]) }
                for (portion, signal) in [SIGINT, SIGKILL, SIGQUIT].enumerated() {
                    try await traffic.flow(portion, of: 3, on: stage)
                    Glibc.kill(try #require(cluster.pid), signal)
                    try await eventually("PostgreSQL ends") { !cluster.isRunning }
                    try await cluster.stop()
                    try await startPatiently(cluster)
                    try await eventually("the database can be reached") { (try? stage.reconnectDatabase()) != nil }
                }
                try await traffic.settle(on: stage)
                for worker in workers {
                    #expect(worker.isRunning)
                    try #expect(await worker.terminate(within: 30) == .exit(0))
                }
                try traffic.expectExact(on: stage, alertsIn: "subscriber")
            }
        }

        @Test("Every backend of the workers is terminated, again and again, while jobs flow")
        func terminated() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 20, jobs: 8_000)
            let workers = try (0..<2).map { _ in try stage.startWorker(.tenantry, ["TENANTRY_WORKER_BATCH": "50"]) }
            var terminated = 0
            for portion in 0..<20 {
                try await traffic.flow(portion, of: 20, on: stage)
                terminated += try stage.number(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                        + "where datname = current_database() and application_name like 'tenantry%'")
            }
            #expect(terminated >= 20)
            try await traffic.settle(on: stage)
            for worker in workers { try #expect(await worker.terminate(within: 30) == .exit(0)) }
            try traffic.expectExact(on: stage)
        }

        @Test("A row that only PostgreSQL refuses is given up alone: the rest of its batch is committed")
        func badRow() async throws {
            let stage = try await Stage()
            let setup = try stage.startWorker()
            let token = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: token)
            try #expect(await setup.terminate(within: 30) == .exit(0))
            for number in 0..<500 {
                let metadata = number == 321 ? #","metadata":{"n":1e400000}"# : ""
                let message =
                    #"{"id":"m\#(number)","role":"user","content":"hello","sent_at":"\#(RFC3339.text(Self.now))"\#(metadata)}"#
                try stage.post(
                    "conversation.log", #"{"conversation_id":"c","messages":[\#(message)]}"#, tenant: "shop", token: token,
                    id: "j\(number)")
            }
            try stage.confirm()
            let worker = try stage.startWorker()
            try await eventually("the others are there") { try stage.number("select count(*) from tenant_shop.messages") >= 499 }
            try await eventually("the bad one is given up") { try stage.ready(Topology.deadQueue) > 0 }
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try #expect(stage.takeDeadLetters() == ["j321 invalid_payload"])
            try #expect(stage.number("select count(*) from tenant_shop.messages") == 499)
            try #expect(stage.number("select sum(messages)::int8 from tenantry.tenant_usage") == 499)
            try #expect(stage.jobsLeft() == 0)
        }

        @Test("A database without room is waited for, patiently: no job is retried, given up or lost")
        func full() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 1, tenants: 4, jobs: 400)
            // A sequence remembers across rollbacks how often it was tried.
            try stage.run(
                """
                create sequence public.tries;
                grant usage on sequence public.tries to public;
                create function public.refuse() returns trigger language plpgsql as $$
                begin
                    perform nextval('public.tries');
                    raise exception 'could not extend file: No space left on device' using errcode = '53100';
                end $$;
                create trigger full_disk before insert or update on tenantry.tenant_usage for each statement execute function public.refuse();
                """)
            try traffic.send(on: stage)
            let worker = try stage.startWorker()
            func tries() throws -> Int {
                try stage.number("select case when is_called then last_value else 0 end from public.tries")
            }
            try await eventually("the database is tried") { try tries() > 0 }
            let began = Date()
            try await eventually("the database is tried again") { try tries() >= 8 }
            // Each of two lanes tries twice, and then waits a twentieth of a second or more before each further try.
            let seconds = Date().timeIntervalSince(began)
            #expect(try Double(tries()) <= 2 * (3 + seconds / 0.05))
            try #expect(stage.ready(Topology.deadQueue) == 0)
            try stage.run("drop trigger full_disk on tenantry.tenant_usage")
            try await traffic.settle(on: stage)
            try #expect(await worker.terminate(within: 30) == .exit(0))
            try traffic.expectExact(on: stage)
        }

        private static var now: Int64 { Int64(Date().timeIntervalSince1970) * 1_000_000 }
    }
}

/// A durable PostgreSQL of the test's own, on the same port after each start.
func withCluster(_ body: (DatabaseCluster, String) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "/tenantry-fault-\(UUID().uuidString)"
    var options = DatabaseCluster.Options(directory: folder)
    options.lifetime = .throwAway
    options.isDurable = true
    options.port = try Loopback.freePorts(1)[0]
    let cluster = DatabaseCluster(options)
    let url = try await cluster.start()
    do {
        try await body(cluster, url + "?sslmode=disable")
    } catch {
        try? await cluster.stop()
        throw error
    }
    try await cluster.stop()
    try? FileManager.default.removeItem(atPath: folder)
}

/// Starts it once more. Backends whose postmaster was killed still hold its memory until they notice, and a new one does not start before.
func startPatiently(_ cluster: DatabaseCluster) async throws {
    for _ in 0..<120 {
        do {
            _ = try await cluster.start()
            return
        } catch let error as EmbeddedError where error.description.contains("pre-existing shared memory block") {
            try await Task.sleep(for: .milliseconds(500))
        }
    }
    _ = try await cluster.start()
}
