internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import Glibc
internal import Postgres
internal import TestSupport

/// What happens to a fleet at random, and is over when ``happen(_:)`` returns.
enum RandomFault: String, CaseIterable, Sendable {
    case workerKilled = "a worker gets SIGKILL"
    case workerFrozen = "a worker gets SIGSTOP, and later SIGCONT"
    case workerDrained = "a worker gets SIGTERM"
    case connectionsClosed = "the broker closes all connections"
    case brokerRestarted = "the broker is restarted"
    case brokerKilled = "the broker is killed and started"
    case alarm = "the broker is in alarm"
    case exchangesDeleted = "exchanges are deleted"
    case retryQueuesDeleted = "empty queues are deleted"
    case backendsTerminated = "all sessions are terminated"
    case statementsCancelled = "all statements are cancelled"
    case databaseRestarted = "PostgreSQL is stopped fast and started"
    case databaseKilled = "PostgreSQL ends at once and is started"
    case readOnly = "PostgreSQL only reads"
    case tenantLocked = "a tenant's table is locked"
    case controlLocked = "a table of the control schema is locked"
    case rightsRevoked = "rights are revoked"
    case tableMissing = "a table is missing"
}

/// A stage with servers of its own, and workers on it, to which things happen.
final class RandomFaults {
    let stage: Stage
    private let node: BrokerNode
    private let cluster: DatabaseCluster
    private(set) var workers: [WorkerProcess] = []
    private let role: String

    static let environment = ["TENANTRY_WORKER_BATCH": "50", "TENANTRY_WORKER_DRAIN_SECONDS": "5"]

    init(_ stage: Stage, _ node: BrokerNode, _ cluster: DatabaseCluster) throws {
        self.stage = stage
        self.node = node
        self.cluster = cluster
        role = try stage.table("select name from tenantry.database_roles where purpose = 'worker'")[0][0]
    }

    func startWorkers(_ count: Int) throws {
        for _ in 0..<count { workers.append(try stage.startWorker(.tenantry, Self.environment)) }
    }

    /// Ends all workers as they should be.
    func drain() async throws {
        for worker in workers {
            guard try await worker.terminate(within: 30) == .exit(0) else {
                throw TestFailure("a worker did not end well:\n\(worker.log.suffix(3_000))")
            }
        }
    }

    /// Lets it happen, and heals it.
    func happen(_ fault: RandomFault, _ random: inout some RandomNumberGenerator) async throws {
        let seconds = Double.random(in: 0.5...3, using: &random)
        let index = Int.random(in: workers.indices, using: &random)
        switch fault {
        case .workerKilled:
            try await workers[index].kill()
            workers[index] = try stage.startWorker(.tenantry, Self.environment)
        case .workerFrozen:
            Glibc.kill(workers[index].pid, SIGSTOP)
            // Longer than a lease holds, at times.
            try await sleep(seconds * 5)
            Glibc.kill(workers[index].pid, SIGCONT)
        case .workerDrained:
            guard try await workers[index].terminate(within: 30) == .exit(0) else {
                throw TestFailure("a worker did not drain:\n\(workers[index].log.suffix(3_000))")
            }
            workers[index] = try stage.startWorker(.tenantry, Self.environment)
        case .connectionsClosed:
            _ = try await node.run(ctl: ["close_all_connections", "maintenance"])
            try stage.reconnectBroker()
        case .brokerRestarted, .brokerKilled:
            try await node.restart(crash: fault == .brokerKilled)
            try stage.reconnectBroker()
        case .alarm:
            _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.000001"])
            try await sleep(seconds)
            _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
        case .exchangesDeleted:
            for exchange in [Topology.deadExchange, Topology.retryExchange, Topology.eventsExchange] {
                try stage.broker.deleteExchange(exchange)
            }
        case .retryQueuesDeleted:
            for queue in ["tenantry.dead", "tenantry.unroutable"] { try stage.broker.deleteQueue(queue) }
        case .backendsTerminated, .statementsCancelled:
            let function = fault == .backendsTerminated ? "pg_terminate_backend" : "pg_cancel_backend"
            _ = try stage.number(
                "select count(\(function)(pid)) from pg_stat_activity where datname = current_database() and application_name like 'tenantry%'"
            )
        case .databaseRestarted, .databaseKilled:
            guard let pid = cluster.pid else { throw TestFailure("PostgreSQL is not there") }
            Glibc.kill(pid, fault == .databaseKilled ? SIGQUIT : SIGINT)
            try await eventually("PostgreSQL ends") { !self.cluster.isRunning }
            try await cluster.stop()
            try await startPatiently(cluster)
            try await eventually("the database can be reached") { (try? self.stage.reconnectDatabase()) != nil }
        case .readOnly:
            try stage.run("alter system set default_transaction_read_only = on")
            try stage.run("select pg_reload_conf()")
            try await sleep(seconds)
            try stage.run("set default_transaction_read_only = off")
            try stage.run("alter system reset default_transaction_read_only")
            try stage.run("select pg_reload_conf()")
        case .tenantLocked, .controlLocked:
            let table = fault == .controlLocked ? "tenantry.tenant_usage" : "tenant_t0.messages"
            try stage.run("begin; set local lock_timeout = '20s'; lock table \(table) in access exclusive mode")
            try await sleep(seconds * 2)
            try stage.run("rollback")
        case .rightsRevoked:
            try stage.run("revoke insert on tenantry.tenant_usage, tenantry.usage_deltas from \"\(role)\"")
            try await sleep(seconds)
            try stage.run("grant insert on tenantry.tenant_usage, tenantry.usage_deltas to \"\(role)\"")
        case .tableMissing:
            try stage.run("set lock_timeout = '20s'; alter table tenantry.directory rename to directory_elsewhere")
            try await sleep(seconds)
            try stage.run("alter table tenantry.directory_elsewhere rename to directory")
        }
    }

    private func sleep(_ seconds: Double) async throws {
        try await Task.sleep(for: .milliseconds(Int(seconds * 1_000)))
    }
}

/// splitmix64: the same faults for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
