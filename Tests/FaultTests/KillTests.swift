internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

/// Every suite here starts processes and works them hard: one test at a time.
@Suite(.serialized)
enum FaultTests {}

extension FaultTests {
    @Suite("A worker that ends", .serialized)
    struct EndingWorker {
        @Test(
            "A worker killed again and again in the middle of its jobs leaves every row, counter and alert exact",
            arguments: ["300", "5000"])
        func killed(batch: String) async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 4, tenants: 50, jobs: 20_000)
            try stage.subscribe("subscriber")
            for kill in 0..<5 {
                // With work under way, and more in hand than is done.
                let worker = try stage.startWorker(.tenantry, ["TENANTRY_WORKER_BATCH": batch])
                try await traffic.flow(kill, of: 5, on: stage)
                try await worker.kill()
            }
            let last = try stage.startWorker()
            try await traffic.settle(on: stage)
            try #expect(await last.terminate(within: 30) == .exit(0))
            try traffic.expectExact(on: stage, alertsIn: "subscriber")
        }

        @Test("A worker told to stop finishes what it has in hand, exits with 0, and leaves the rest untouched for the next one")
        func terminated() async throws {
            let stage = try await Stage()
            let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 10, jobs: 6_000, repeats: false)
            try traffic.send(on: stage)
            let first = try stage.startWorker(.tenantry, ["TENANTRY_WORKER_BATCH": "50"])
            try await eventually("the worker makes progress") { try traffic.counted(on: stage) > 0 }
            try #expect(await first.terminate(within: 25) == .exit(0))
            let left = try stage.ready(Family.conversation.queue)
            #expect(left > 0)
            try #expect(traffic.counted(on: stage) + left == traffic.jobs.count)
            try #expect(stage.number("select count(*) from tenantry.workers") == 0)
            var returned = 0
            for _ in 0..<left {
                if let delivery = try stage.broker.get(Family.conversation.queue), delivery.headerInt("x-delivery-count") ?? 0 > 0
                {
                    returned += 1
                }
            }
            // Those that the broker was just sending, and took back when the two lanes cancelled.
            #expect(returned <= 2 * 100, "of \(left) jobs left")
            // Gives them back.
            try stage.reconnectBroker()

            let second = try stage.startWorker()
            try await traffic.settle(on: stage)
            try #expect(await second.terminate(within: 30) == .exit(0))
            try traffic.expectExact(on: stage)
        }
    }
}
