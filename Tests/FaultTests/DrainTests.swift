internal import Contract
internal import Embedded
internal import Glibc
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("A worker told to stop while a server fails it", .serialized)
    struct Drain {
        private static let soon = ["TENANTRY_WORKER_DRAIN_SECONDS": "3"]
        /// The deadline above, and what a busy machine adds to it.
        private static let inTime = 12.0

        @Test("ends with 0 within its deadline where the database, the broker or both are away")
        func away() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 1, tenants: 1, jobs: 50)
            try traffic.send(on: stage)
            for (hasBroker, hasDatabase) in [(true, false), (false, true), (false, false)] {
                let worker = try WorkerProcess(
                    broker: hasBroker ? stage.brokerURL : "amqp://nobody@127.0.0.1:1/none",
                    database: hasDatabase ? stage.databaseURL : "postgresql://nobody@127.0.0.1:1/none", Self.soon)
                if hasBroker {
                    try await eventually("it holds all jobs") { try stage.ready(Family.conversation.queue) == 0 }
                } else {
                    try await eventually("it has tried the broker") { worker.log.contains("broker connection lost") }
                }
                try #expect(await worker.terminate(within: Self.inTime) == .exit(0))
                try await eventually("the jobs are back") { try stage.ready(Family.conversation.queue) == 50 }
            }
        }

        @Test("ends with 0 within its deadline where the database does not come to an end, and nothing is lost")
        func locked() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 1, tenants: 4, jobs: 400)
            try traffic.send(on: stage)
            try stage.run("begin; lock table tenantry.tenant_usage in access exclusive mode")
            let worker = try stage.startWorker(.tenantry, Self.soon)
            try await eventually("it waits for the lock") {
                try stage.number("select count(*) from pg_locks where not granted") > 0
            }
            try #expect(await worker.terminate(within: Self.inTime) == .exit(0))
            try stage.run("rollback")

            let next = try stage.startWorker()
            try await traffic.settle(on: stage)
            try #expect(await next.terminate(within: 30) == .exit(0))
            try traffic.expectExact(on: stage)
        }

        @Test("ends with 0 within its deadline where the broker does not say a word, and nothing is lost")
        func frozen() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let traffic = try await Traffic.prepare(on: stage, accounts: 1, tenants: 4, jobs: 4_000)
                try traffic.send(on: stage)
                let worker = try stage.startWorker(.tenantry, Self.soon.merging(["TENANTRY_WORKER_BATCH": "20"]) { $1 })
                try await eventually("it makes progress") { try traffic.counted(on: stage) > 0 }
                let broker = try #require(node.pid)
                Glibc.kill(broker, SIGSTOP)
                let ending = try? await worker.terminate(within: Self.inTime)
                Glibc.kill(broker, SIGCONT)
                #expect(ending == .exit(0))

                let next = try stage.startWorker()
                try await traffic.settle(on: stage)
                try #expect(await next.terminate(within: 30) == .exit(0))
                try traffic.expectExact(on: stage)
            }
        }
    }
}
