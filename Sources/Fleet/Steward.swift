internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Glibc
internal import Jobs
internal import Logging
internal import Postgres

/// A worker's thread for what is not a job: it keeps the worker's row, and while it holds the fleet's advisory lock it is the leader,
/// relays the outbox and does the duties (those that may take long, on threads aside). When it dies, PostgreSQL frees the lock and another worker's steward takes it.
final class Steward {
    private static let turnSeconds = 0.1
    private static let rowSeconds = 2.0

    private let options: FleetOptions
    private let control: LaneControl
    private let logger: Logger
    private let workerID: String
    private let families: [String]
    private let laneCount: Int
    private let tally: WorkerTally
    private let duties: [LeaderDuty]
    private let asides: [DutyAside]
    private let publisher: Publisher
    private let relay: OutboxRelay
    private let leads = Gauge(label: "tenantry_leader")
    private var isLeader = false
    private var dueAt: [String: Double] = [:]
    private var fleetJobs = FleetJobs()
    private var requested: [FleetJob] = []
    private var lastTotals = WorkerTally.Totals()
    private var lastRowAt = 0.0
    private var brokerBackoff = Backoff()
    private var brokerRetryAt = 0.0

    init(
        options: FleetOptions, control: LaneControl, logger: Logger, workerID: String, families: [String], laneCount: Int,
        tally: WorkerTally,
        duties: [LeaderDuty], confirmations: [Outbox.Confirmation]
    ) {
        relay = OutboxRelay(confirmations: confirmations)
        self.options = options
        self.control = control
        self.logger = logger
        self.workerID = workerID
        self.families = families
        self.laneCount = laneCount
        self.tally = tally
        self.duties = duties.filter { !$0.isBackground }
        asides = duties.filter(\.isBackground).map { DutyAside($0, options, control, logger) }
        publisher = Publisher(
            options.broker, name: "tenantry steward out", heartbeatSeconds: options.heartbeatSeconds, confirmTimeoutSeconds: 5)
    }

    func run() {
        var backoff = Backoff()
        while !control.isStopping {
            do {
                var database = try Postgres.Connection(options.database)
                backoff.reset()
                while !control.isStopping {
                    try turn(on: &database)
                    control.sleep(seconds: Self.turnSeconds)
                }
                try leave(on: &database)
            } catch {
                isLeader = false
                for aside in asides { aside.end() }
                leads.record(0)
                logger.warning(
                    "steward lost its server, trying again", metadata: [LogKey.worker: "\(workerID)", LogKey.error: "\(error)"])
                control.sleep(seconds: backoff.nextSeconds())
            }
        }
        while asides.contains(where: \.isRunning), !control.isOverdue { control.sleep(seconds: Self.turnSeconds) }
    }

    private func turn(on database: inout Postgres.Connection) throws {
        let now = SystemClock.monotonicSeconds()
        if now - lastRowAt >= Self.rowSeconds { try writeRow(on: &database, state: "running", now: now) }
        if !isLeader {
            isLeader = try database.query(SQL.lead).bool(0, 0)
            leads.record(isLeader ? 1 : 0)
            guard isLeader else { return publisher.keepAlive() }
            logger.info("leads the fleet", metadata: [LogKey.worker: "\(workerID)"])
        }
        for duty in duties where isDue(duty.name, every: duty.intervalSeconds, now: now) {
            requested += try duty.run(on: &database, logger)
        }
        for aside in asides { aside.goOn() }
        if isDue("housekeeping", every: 60, now: now) { try keepHouse(on: &database) }
        try publish(from: &database, now: now)
        publisher.keepAlive()
    }

    /// What goes to the broker. That it is away is no reason to stop sweeping and leading: it is tried again a little later.
    private func publish(from database: inout Postgres.Connection, now: Double) throws {
        guard now >= brokerRetryAt else { return }
        do {
            try fleetJobs.send(requested, from: &database, to: publisher)
            requested = []
            while try relay.relay(from: &database, to: publisher) {}
            brokerBackoff.reset()
        } catch let error as AMQPError {
            brokerRetryAt = now + brokerBackoff.nextSeconds()
            logger.warning("the outbox waits for the broker", metadata: [LogKey.worker: "\(workerID)", LogKey.error: "\(error)"])
        }
    }

    private func isDue(_ name: String, every seconds: Double, now: Double) -> Bool {
        guard dueAt[name, default: 0] <= now else { return false }
        dueAt[name] = now + seconds
        return true
    }

    private func keepHouse(on database: inout Postgres.Connection) throws {
        var parameters = Parameters()
        parameters.append(options.inboxRetentionHours)
        for statement in [SQL.purgeInbox] { _ = try database.query(statement, parameters) }
        for statement in [SQL.purgeWorkers, SQL.purgeSuspects, SQL.purgeFleetCredentials] { _ = try database.query(statement) }
    }

    private func writeRow(on database: inout Postgres.Connection, state: String, now: Double) throws {
        let totals = tally.current
        let rate = lastRowAt > 0 ? Double(totals.jobs - lastTotals.jobs) / (now - lastRowAt) : 0
        var parameters = Parameters()
        parameters.append(workerID)
        parameters.append(Host.name)
        parameters.append(Int64(getpid()))
        parameters.append(families)
        parameters.append(Int64(laneCount))
        parameters.append(isLeader)
        parameters.append(state)
        parameters.append(totals.jobs)
        parameters.append(totals.rejected)
        parameters.append(totals.retried)
        parameters.append(rate)
        _ = try database.query(SQL.row, parameters)
        lastTotals = totals
        lastRowAt = now
    }

    private func leave(on database: inout Postgres.Connection) throws {
        var parameters = Parameters()
        parameters.append(workerID)
        _ = try database.query(SQL.leave, parameters)
    }

    enum SQL {
        static let lead: Statement = "select pg_try_advisory_lock(hashtext('tenantry.leader'))"
        static let row: Statement = """
            insert into tenantry.workers as w
                (id, host, pid, families, lanes, leads, state, jobs, rejected, retried, jobs_per_second)
            values ($1, $2, $3::int8::int4, $4, $5::int8::int4, $6, $7, $8, $9, $10, $11)
            on conflict (id) do update set leads = excluded.leads, state = excluded.state, jobs = excluded.jobs, rejected = excluded.rejected,
                retried = excluded.retried, jobs_per_second = excluded.jobs_per_second, seen_at = now()
            """
        static let leave: Statement = "delete from tenantry.workers where id = $1"
        static let purgeInbox: Statement = """
            delete from tenantry.inbox where (account, job_id) in
                (select account, job_id from tenantry.inbox where created_at < now() - $1 * interval '1 hour' limit 10000)
            """
        static let purgeWorkers: Statement = "delete from tenantry.workers where seen_at < now() - interval '1 minute'"
        static let purgeSuspects: Statement = "delete from tenantry.suspects where updated_at < now() - interval '7 days'"
        static let purgeFleetCredentials: Statement =
            "delete from tenantry.credentials where role = 'fleet' and expires_at < now()"
    }
}

/// This machine.
enum Host {
    static let name: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
