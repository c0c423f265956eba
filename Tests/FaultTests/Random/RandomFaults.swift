internal import AMQP
internal import Contract
internal import Embedded
internal import Fleet
internal import Foundation
internal import Glibc
internal import Postgres
internal import TestSupport

/// Servers of one run, with workers on them, to which things happen. Workers and producers come to the servers by ways that can be disturbed.
final class RandomFaults {
    let stage: Stage
    private let servers: FaultServers
    private(set) var workers: [WorkerProcess] = []
    private let role: String

    private static let environment = [
        "TENANTRY_WORKER_BATCH": "50", "TENANTRY_WORKER_DRAIN_SECONDS": "5", "TENANTRY_WORKER_HEARTBEAT_SECONDS": "2",
        "TENANTRY_USAGE_AGGREGATE_SECONDS": "5",
    ]

    init(_ stage: Stage, _ servers: FaultServers) throws {
        self.stage = stage
        self.servers = servers
        role = try stage.table("select name from tenantry.database_roles where purpose = 'worker'")[0][0]
    }

    func startWorkers(_ count: Int) throws {
        for _ in 0..<count { workers.append(try startWorker()) }
    }

    private func startWorker() throws -> WorkerProcess {
        try WorkerProcess(
            broker: servers.brokerWay.url(instead: stage.brokerURL),
            database: servers.databaseWay.url(instead: stage.databaseURL),
            Self.environment)
    }

    /// Ends all workers as they should be.
    func drain() async throws {
        for worker in workers {
            guard try await worker.terminate(within: 30) == .exit(0) else {
                throw TestFailure("a worker did not end well:\n\(worker.log.suffix(3_000))")
            }
        }
    }

    /// What the workers logged last, for a failure's message.
    var logs: String { workers.map { "worker \($0.pid):\n\($0.log.suffix(2_000))" }.joined(separator: "\n") }

    /// Lets it happen for some time, and heals it.
    func happen(_ fault: RandomFault, _ random: inout some RandomNumberGenerator) async throws {
        let seconds = Double.random(in: 0.5...4, using: &random)
        switch fault {
        case .workerKilled, .workerFrozen, .workerDrained: try await happen(toOneWorker: fault, seconds, &random)
        case .brokerStopped, .brokerRestarted, .brokerKilled, .connectionsClosed, .alarm:
            try await happen(toBroker: fault, seconds)
        case .exchangesDeleted, .jobsExchangeDeleted, .eventsExchangeDeleted, .queuesDeleted:
            // Again and again: what is missing is soon declared anew.
            let end = ContinuousClock.now + .seconds(seconds)
            repeat {
                try delete(fault)
                try await sleep(0.2)
            } while ContinuousClock.now < end
        case .brokerCut, .brokerSilent, .databaseCut, .databaseSilent, .brokerDelayed, .databaseDelayed:
            try await happen(toNetwork: fault, seconds, &random)
        default: try await happen(toDatabase: fault, seconds, &random)
        }
    }

    private func happen(
        toOneWorker fault: RandomFault, _ seconds: Double, _ random: inout some RandomNumberGenerator
    ) async throws {
        let index = Int.random(in: workers.indices, using: &random)
        switch fault {
        case .workerKilled:
            try await workers[index].kill()
            workers[index] = try startWorker()
        case .workerFrozen:
            Glibc.kill(workers[index].pid, SIGSTOP)
            // Longer than a lease holds, at times.
            try await sleep(seconds * 4)
            Glibc.kill(workers[index].pid, SIGCONT)
        default:
            guard try await workers[index].terminate(within: 30) == .exit(0) else {
                throw TestFailure("a worker did not drain:\n\(workers[index].log.suffix(3_000))")
            }
            workers[index] = try startWorker()
        }
    }

    // MARK: The broker

    private func happen(toBroker fault: RandomFault, _ seconds: Double) async throws {
        let node = servers.node
        switch fault {
        case .connectionsClosed:
            _ = try await node.run(ctl: ["close_all_connections", "maintenance"])
        case .brokerStopped:
            _ = try await node.run(ctl: ["stop_app"])
            try await sleep(seconds)
            _ = try await node.run(ctl: ["start_app"])
        case .alarm:
            _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.000001"])
            try await sleep(seconds)
            _ = try await node.run(ctl: ["set_vm_memory_high_watermark", "0.4"])
        default:
            try await node.restart(crash: fault == .brokerKilled)
        }
        try await eventually("the broker can be reached") { (try? stage.reconnectBroker()) != nil }
    }

    private func delete(_ fault: RandomFault) throws {
        switch fault {
        case .exchangesDeleted:
            for exchange in [Topology.deadExchange, Topology.retryExchange] { try stage.broker.deleteExchange(exchange) }
        case .jobsExchangeDeleted: try stage.broker.deleteExchange(Topology.jobsExchange)
        case .eventsExchangeDeleted: try stage.broker.deleteExchange(Topology.eventsExchange)
        default:
            var fleet = FleetOptions(broker: try BrokerURL(stage.brokerURL), database: ConnectionOptions(url: stage.databaseURL))
            fleet.ladder = TestFleet.ladder
            for queue in TopologyDeclaration(fleet).queues {
                do {
                    _ = try stage.broker.deleteQueue(queue, ifEmpty: true)
                } catch {
                    // Not empty, or not there: then it stays as it is.
                    try stage.reconnectBroker()
                }
            }
        }
    }

    // MARK: The network

    private func happen(
        toNetwork fault: RandomFault, _ seconds: Double, _ random: inout some RandomNumberGenerator
    ) async throws {
        let way = [.brokerCut, .brokerSilent, .brokerDelayed].contains(fault) ? servers.brokerWay : servers.databaseWay
        switch fault {
        case .brokerCut, .databaseCut: way.set(.cut)
        case .brokerSilent, .databaseSilent: way.set(.silent)
        default: way.set(.delayed(milliseconds: UInt32.random(in: 5...100, using: &random)))
        }
        try await sleep(seconds * 2)
        way.set(.open)
    }

    // MARK: PostgreSQL

    private func happen(
        toDatabase fault: RandomFault, _ seconds: Double, _ random: inout some RandomNumberGenerator
    ) async throws {
        try await reconnectDatabase()
        switch fault {
        case .backendsTerminated, .statementsCancelled:
            let function = fault == .backendsTerminated ? "pg_terminate_backend" : "pg_cancel_backend"
            _ = try stage.number("select count(\(function)(pid)) from pg_stat_activity where \(Self.ours)")
        case .backendKilled:
            // All others are ended by the server, which then starts over.
            let backends = try stage.table("select pid::text from pg_stat_activity where \(Self.ours)")
            if let pid = backends.randomElement(using: &random).flatMap({ Int32($0[0]) }) { Glibc.kill(pid, SIGKILL) }
        case .databaseRestarted, .databaseKilled:
            guard let pid = servers.cluster.pid else { throw TestFailure("PostgreSQL is not there") }
            Glibc.kill(pid, fault == .databaseKilled ? SIGQUIT : SIGINT)
            try await eventually("PostgreSQL ends") { !servers.cluster.isRunning }
            try await sleep(seconds)
            try await servers.startDatabase()
        case .diskFull:
            try servers.disk?.fill()
            try await sleep(seconds * 2)
            servers.disk?.empty()
            if !servers.cluster.isRunning { try await servers.startDatabase() }
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
        default:
            try stage.run("set lock_timeout = '20s'; alter table tenantry.directory rename to directory_elsewhere")
            try await sleep(seconds)
            try stage.run("alter table tenantry.directory_elsewhere rename to directory")
        }
        try await reconnectDatabase()
    }

    private static let ours = "datname = current_database() and application_name like 'tenantry%'"

    private func reconnectDatabase() async throws {
        try await eventually("the database can be reached") {
            if (try? stage.number("select 1")) == 1 { return true }
            return (try? stage.reconnectDatabase()) != nil
        }
    }

    private func sleep(_ seconds: Double) async throws {
        try await Task.sleep(for: .milliseconds(Int(seconds * 1_000)))
    }
}
