internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import TestSupport
internal import Testing

extension FaultTests {
    @Suite("RabbitMQ", .serialized)
    struct Broker {
        @Test(
            "RabbitMQ crashes, is restarted and throws everybody out while jobs flow: nothing is lost, counted twice or given up")
        func restarted() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                // In good time: a broker that is killed may have lost what it was told a moment ago of bindings.
                try stage.subscribe("subscriber")
                let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 10, jobs: 8_000)
                let workers = try (0..<2).map { _ in try stage.startWorker(.tenantry, ["TENANTRY_WORKER_BATCH": "20"]) }
                for (portion, fault) in ["crash", "restart", "close", "close", "close"].enumerated() {
                    try await traffic.flow(portion, of: 5, on: stage)
                    switch fault {
                    case "close": _ = try await node.run(ctl: ["close_all_connections", "maintenance"])
                    default: try await node.restart(crash: fault == "crash")
                    }
                    try stage.reconnectBroker()
                }
                try await traffic.settle(on: stage)
                for worker in workers {
                    #expect(worker.isRunning)
                    try #expect(await worker.terminate(within: 30) == .exit(0))
                }
                try traffic.expectExact(on: stage, alertsIn: "subscriber")
            }
        }

        @Test("A broker in alarm blocks answers, not jobs for ever: after the alarm everything is done and answered")
        func alarm() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let traffic = try await Traffic.prepare(on: stage, accounts: 2, tenants: 10, jobs: 2_000)
                try stage.subscribe("subscriber")
                try traffic.send(on: stage)
                let tenant = traffic.tenants[0]
                for number in 0..<5 {
                    try stage.post(
                        "corpus.remove", #"{"external_ids":["none"]}"#, tenant: tenant.slug, token: tenant.token,
                        id: "r\(number)",
                        replyTo: stage.answers)
                }
                try stage.confirm()
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.000001"])
                let worker = try stage.startWorker()
                try await eventually("jobs are done under the alarm") { try traffic.counted(on: stage) > 0 }
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
                for number in 0..<5 {
                    try #expect(await stage.answer(to: "r\(number)", in: stage.answers).status == .succeeded)
                }
                try await traffic.settle(on: stage)
                try #expect(await worker.terminate(within: 30) == .exit(0))
                try traffic.expectExact(on: stage, alertsIn: "subscriber")
            }
        }
    }
}

/// A RabbitMQ of the test's own, on the same port after each start.
func withBroker(_ body: (BrokerNode, String) async throws -> Void) async throws {
    var options = BrokerNode.Options(directory: NSTemporaryDirectory() + "/tenantry-fault-\(UUID().uuidString)")
    options.lifetime = .throwAway
    options.port = try Loopback.freePorts(1)[0]
    let node = BrokerNode(options)
    let url = try await node.start()
    do {
        try await body(node, url)
    } catch {
        try? await node.stop()
        throw error
    }
    try await node.stop()
    try? FileManager.default.removeItem(atPath: options.directory)
}
