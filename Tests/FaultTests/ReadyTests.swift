internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import FoundationNetworking
internal import Glibc
internal import TestSupport
internal import Testing

extension FaultTests {
    /// What `/ready` says while something is wrong, and that it says yes again.
    @Suite("Readiness", .serialized)
    struct Ready {
        private struct Worker {
            let process: WorkerProcess
            let port: Int

            func reasons() async throws -> [String] {
                let url = try #require(URL(string: "http://127.0.0.1:\(port)/ready"))
                guard let (body, answer) = try? await URLSession.shared.data(from: url) else { return ["not there"] }
                let json = try JSONSerialization.jsonObject(with: body) as? [String: Any]
                let reasons = json?["reasons"] as? [String] ?? []
                #expect(((answer as? HTTPURLResponse)?.statusCode == 200) == reasons.isEmpty)
                return reasons
            }

            /// Waits until `/ready` gives a reason that has this in it.
            func saysNo(_ reason: String) async throws {
                try await eventually("it is not ready because of \(reason)") {
                    try await reasons().contains { $0.contains(reason) }
                }
            }

            func saysYes() async throws {
                try await eventually("it is ready") { try await reasons().isEmpty }
            }
        }

        private func start(_ stage: Stage, _ environment: [String: String] = [:]) async throws -> Worker {
            let port = try Loopback.freePorts(1)[0]
            let process = try stage.startWorker(.tenantry, environment.merging(["TENANTRY_HTTP_PORT": "\(port)"]) { $1 })
            let worker = Worker(process: process, port: port)
            try await worker.saysYes()
            return worker
        }

        @Test("is lost by a right, a table, a queue or an exchange that is missing, and by transactions that only read")
        func missing() async throws {
            let stage = try await Stage()
            let role = try stage.table("select name from tenantry.database_roles where purpose = 'worker'")[0][0]
            let worker = try await start(stage, ["TENANTRY_WORKER_DECLARE_TOPOLOGY": "false"])
            try stage.run("revoke insert on tenantry.inbox from \"\(role)\"")
            try await worker.saysNo("no right to insert on tenantry.inbox")
            try stage.run("grant insert on tenantry.inbox to \"\(role)\"; alter table tenantry.outbox rename to elsewhere")
            try await worker.saysNo("table tenantry.outbox is missing")
            try stage.run("alter table tenantry.elsewhere rename to outbox")
            try await worker.saysYes()
            try stage.run("alter role \"\(role)\" set default_transaction_read_only = on")
            try await worker.saysNo("transactions only read")
            try stage.run("alter role \"\(role)\" reset default_transaction_read_only")
            try await worker.saysYes()
            try stage.broker.deleteExchange(Topology.alertsExchange)
            try await worker.saysNo("exchange tenantry.alerts is missing")
            try stage.broker.declareExchange(Topology.alertsExchange, type: "topic")
            try stage.broker.deleteQueue(Topology.unroutableQueue)
            try await worker.saysNo("queue tenantry.unroutable is missing")
            try #expect(await worker.process.terminate(within: 30) == .exit(0))
        }

        @Test("is lost in an alarm; what is deleted is declared anew; SIGHUP drains")
        func alarm() async throws {
            try await withBroker { node, url in
                let stage = try await Stage(broker: url)
                let worker = try await start(stage)
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.000001"])
                try await worker.saysNo("in alarm")
                _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
                try await worker.saysYes()
                try stage.broker.deleteQueue(Topology.deadQueue)
                try stage.broker.deleteExchange(Topology.retryExchange)
                try await eventually("both are there again") {
                    try stage.broker.inspectQueue(Topology.deadQueue) != nil && stage.broker.hasExchange(Topology.retryExchange)
                }
                Glibc.kill(worker.process.pid, SIGHUP)
                try #expect(await worker.process.ending(within: 30) == .exit(0))
            }
        }

        @Test("A signal ends a worker with 0 from its first moment on, also while its database does not answer")
        func early() async throws {
            let silent = try SilentServer()
            for number in [SIGTERM, SIGINT, SIGHUP] {
                for waitsForServer in [false, true] {
                    silent.forget()
                    let worker = try WorkerProcess(
                        broker: "amqp://guest:guest@127.0.0.1:\(silent.port)/",
                        database: "postgresql://nobody@127.0.0.1:\(silent.port)/x", ["TENANTRY_WORKER_DRAIN_SECONDS": "2"])
                    if waitsForServer {
                        try await eventually("it waits for its database") { silent.isAsked }
                    } else {
                        try await eventually("it hears signals") { hears(number, worker.pid) }
                    }
                    Glibc.kill(worker.pid, number)
                    try #expect(await worker.ending(within: 30) == .exit(0), "signal \(number), \(waitsForServer)")
                }
            }
        }

        /// Whether a process has a handler for a signal.
        private func hears(_ number: Int32, _ pid: Int32) -> Bool {
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
                let mask = UInt64(line.split(separator: "\t")[1], radix: 16)
            else { return false }
            return mask & (1 << UInt64(number - 1)) != 0
        }
    }
}

/// A server that takes connections and says nothing.
private final class SilentServer {
    let port: Int
    private let descriptor: Int32
    private var open: [Int32] = []

    init() throws {
        port = try Loopback.freePorts(1)[0]
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard isBound == 0, listen(descriptor, 100) == 0 else { throw TestFailure("cannot listen on \(port)") }
    }

    /// Whether somebody has connected.
    var isAsked: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 0) > 0 else { return false }
        open.append(accept(descriptor, nil, nil))
        return true
    }

    func forget() {
        while isAsked {}
        for connection in open { close(connection) }
        open = []
    }

    deinit {
        forget()
        close(descriptor)
    }
}
