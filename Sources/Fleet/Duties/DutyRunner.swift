internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging
internal import Postgres

/// A worker's thread for what is not a job, with a database connection of its own.
///
/// Every worker writes its heartbeat and takes part in the election. The one that leads does the duties, too: most of them on this thread,
/// one after the other; those that may take long each in the background (``BackgroundDuty``). A broker that is away keeps only those
/// waiting that publish.
final class DutyRunner {
    static let turnSeconds = 0.1
    /// How often a worker that does not lead asks whether it can.
    private static let electionSeconds = 1.0

    private let options: FleetOptions
    private let control: LaneControl
    private let logger: Logger
    private var heartbeat: WorkerHeartbeat
    private let leases: Leases
    private var isLeader = false
    private let leads = Gauge(label: "tenantry_leader")
    private let duties: [Duty]
    private let backgroundDuties: [BackgroundDuty]
    private let publisher: Publisher
    private var schedule = DutySchedule()
    private var brokerBackoff = Backoff()
    private var brokerRetryAt = 0.0
    private var patience = DatabasePatience()

    init(
        _ options: FleetOptions, control: LaneControl, heartbeat: WorkerHeartbeat, duties: [LeaderDuty],
        confirmations: [Outbox.Confirmation], logger: Logger
    ) {
        self.options = options
        self.control = control
        self.heartbeat = heartbeat
        self.logger = logger
        publisher = Publisher(
            options.broker, name: "tenantry duties out", heartbeatSeconds: options.heartbeatSeconds, confirmTimeoutSeconds: 4)
        let sender = FleetJobSender(publisher)
        let leases = Leases(holder: heartbeat.workerID)
        self.leases = leases
        let relay = OutboxRelay(publisher, confirmations: confirmations, leases)
        let own = Housekeeping.duties(inboxHours: options.inboxRetentionHours)
        let postponed = PostponedMessages.Relay(publisher, options, leases)
        self.duties = (duties.filter { !$0.isBackground } + own).map(sender.duty) + [sender.duty, relay.duty, postponed.duty]
        let keeper = DeadLetterKeeper(options)
        backgroundDuties = (duties.filter(\.isBackground) + [keeper.duty]).map {
            BackgroundDuty($0, options, control, leases, logger)
        }
    }

    /// Goes on until a stop is asked for. A database that goes away is waited for, and with it the lead is lost.
    ///
    /// - Returns: why it cannot go on; nil after a stop.
    func run() -> WorkerFailure? {
        var backoff = Backoff()
        while !control.isStopping {
            do throws(Interruption) {
                try serve(&backoff)
            } catch {
                loseLead()
                heartbeat.recordMetrics()
                if case .fatal(let cause) = error { return fail(cause) }
                logger.warning(
                    "the connection for duties is lost, connecting anew",
                    metadata: [LogKey.worker: "\(heartbeat.workerID)", LogKey.error: "\(error)"])
                control.sleep(seconds: backoff.nextSeconds())
            }
        }
        while backgroundDuties.contains(where: \.isRunning), !control.isOverdue { control.sleep(seconds: Self.turnSeconds) }
        return nil
    }

    private func fail(_ cause: any Error) -> WorkerFailure {
        logger.critical(
            "heartbeat or election cannot go on, the worker ends",
            metadata: [LogKey.worker: "\(heartbeat.workerID)", LogKey.error: "\(cause)"])
        return WorkerFailure(thread: "duties", cause: cause)
    }

    private func serve(_ backoff: inout Backoff) throws(Interruption) {
        var database = try ofOurOwn { () throws(PostgresError) in try Postgres.Connection(options.dutiesDatabase) }
        backoff.reset()
        while !control.isStopping {
            heartbeat.recordMetrics()
            try everyWorkersTurn(on: &database)
            if isLeader { try leadersTurn(on: &database) }
            publisher.keepAlive()
            control.sleep(seconds: Self.turnSeconds)
        }
        try ofOurOwn { () throws(PostgresError) in
            try leases.giveBack(Leases.leader, on: &database)
            try heartbeat.end(on: &database)
        }
    }

    private func loseLead() {
        isLeader = false
        leads.record(0)
        for duty in backgroundDuties { duty.end() }
    }

    private func everyWorkersTurn(on database: inout Postgres.Connection) throws(Interruption) {
        let now = SystemClock.monotonicSeconds()
        try ofOurOwn { () throws(PostgresError) in
            if schedule.isDue(WorkerHeartbeat.name, every: WorkerHeartbeat.intervalSeconds, now: now) {
                try heartbeat.beat(leads: isLeader, on: &database)
            }
            try renew(on: &database, now: now)
            if !isLeader, schedule.isDue("election", every: Self.electionSeconds, now: now),
                try leases.take(Leases.leader, on: &database)
            {
                isLeader = true
                leads.record(1)
                logger.info("leads the fleet", metadata: [LogKey.worker: "\(heartbeat.workerID)"])
            }
        }
        patience.reset()
    }

    private func renew(on database: inout Postgres.Connection, now: Double) throws(PostgresError) {
        if schedule.isDue("leases", every: Leases.renewalSeconds, now: now) { try leases.renew(on: &database) }
        guard isLeader, !leases.isHeld(Leases.leader) else { return }
        logger.warning("leads the fleet no more", metadata: [LogKey.worker: "\(heartbeat.workerID)"])
        loseLead()
    }

    private func leadersTurn(on database: inout Postgres.Connection) throws(Interruption) {
        let now = SystemClock.monotonicSeconds()
        for duty in backgroundDuties { duty.goOn() }
        var isBrokerThere = false
        for duty in duties where !duty.needsBroker || now >= brokerRetryAt {
            guard schedule.isDue(duty.name, every: duty.intervalSeconds, now: now) else { continue }
            // The duties before may have taken long.
            try ofOurOwn { () throws(PostgresError) in try renew(on: &database, now: SystemClock.monotonicSeconds()) }
            guard let fence = leases.fence(Leases.leader) else { return }
            database.fence = fence
            defer { database.fence = nil }
            do throws(Interruption) {
                try duty.run(on: &database, logger)
                if duty.needsBroker { isBrokerThere = true }
            } catch {
                guard case .brokerLost(let loss) = error else { throw error }
                isBrokerThere = false
                brokerRetryAt = now + brokerBackoff.nextSeconds()
                logger.warning(
                    "the outbox waits for the broker",
                    metadata: [LogKey.worker: "\(heartbeat.workerID)", LogKey.error: "\(loss)"])
            }
        }
        if isBrokerThere { brokerBackoff.reset() }
    }

    /// Runs a statement that is no duty's: one that is wrong ends the worker.
    private func ofOurOwn<Value: ~Copyable>(_ body: () throws(PostgresError) -> Value) throws(Interruption) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            throw patience.interruption(by: error)
        }
    }
}
