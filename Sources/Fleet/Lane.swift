internal import AMQP
internal import Contract
internal import CoreMetrics
internal import DequeModule
internal import Jobs
internal import Logging
internal import Postgres

/// One consumer: a thread with two broker connections, and beside it an executor with a database connection, to which it hands its batches.
///
/// Everything here runs on the lane's own thread, which never waits for the database; what it shares with the worker's other lanes is its
/// ``LaneEnvironment``.
final class Lane {
    let plan: LanePlan
    let environment: LaneEnvironment
    let metrics: FleetMetrics
    /// For what must not be lost.
    let publisher: Publisher
    /// How long it waits for the broker.
    var requiredSeconds = 5.0
    let bestEffort: BestEffortPublisher
    var pace: Pace
    private var backoff = Backoff()
    private var openedAt = 0.0
    /// The declaration of queues that this lane's consumers were started under.
    var declared = TopologyOwner.Declared.none
    /// The executor that the lane waits for.
    var main: JobExecutor?
    /// What the main executor has in hand and is not yet acknowledged.
    var inHand: Set<UInt64> = []
    var kindInHand: Kind?
    /// Executors whose batches the lane does not wait for, but for the one of ``slowKinds``.
    var long: [JobExecutor] = []
    var slowKinds = SlowKinds()
    let wakeUp = WakeUp()
    private let kinds: [Kind: (batchLimit: Int, runsApart: Bool)]

    /// Jobs of kinds that always take long, one at a time and in order.
    struct SlowKinds {
        /// How many may wait in hand; what is over waits on the retry ladder.
        static let most = 4
        var executor: JobExecutor?
        var isBusy = false
        var waiting: Deque<Delivery> = []
    }

    init(_ plan: LanePlan, _ environment: LaneEnvironment) {
        self.plan = plan
        self.environment = environment
        metrics = FleetMetrics(tally: environment.tally)
        kinds = Dictionary(
            uniqueKeysWithValues: plan.makeHandlers().map { ($0.kind, ($0.batchLimit, $0.runsApart)) })
        // At most enough for the batch in hand and the next one, which is read while the database works, and for what is apart. Beyond that, kinds
        // that come one at a time are left to whichever worker is free.
        let largestBatch = kinds.values.map(\.batchLimit).max() ?? 1
        let apart = LongJobs.mostPerLane + (kinds.values.contains { $0.runsApart } ? SlowKinds.most + 1 : 0)
        pace = Pace(most: min(largestBatch * 2, 60_000), extra: apart)
        let options = environment.options
        publisher = Publisher(options.broker, name: "tenantry \(plan.name) out", heartbeatSeconds: options.heartbeatSeconds)
        bestEffort = BestEffortPublisher(plan.name, environment, metrics, wakeUp: wakeUp)
    }

    var name: String { plan.name }
    var options: FleetOptions { environment.options }
    var control: LaneControl { environment.control }
    var health: LaneHealth { environment.health }
    var logger: Logger { environment.logger }

    /// Serves until a stop is asked for and what is in hand is done. A server that goes away is waited for.
    ///
    /// - Returns: why the lane cannot go on; nil after a stop.
    func run() -> WorkerFailure? {
        defer { end() }
        while !control.isStopping {
            do throws(Interruption) {
                let intake = try open()
                openedAt = SystemClock.monotonicSeconds()
                try serve(intake)
            } catch {
                dropWhatIsInHand()
                switch error {
                case .stopped: break
                case .brokerLost(let loss): waitForBroker("\(loss)")
                case .databaseAway(let cause), .fatal(let cause): return fail(cause)
                }
            }
        }
        health.set(name, .stopped)
        return nil
    }

    /// A connection that was there for so long was a good one.
    private static let goodSeconds = 30.0

    /// Notes that jobs got through: the next loss of the broker is the first one again.
    func noteProgress() {
        backoff.reset()
    }

    /// Notes that the lane's thread has come round.
    func noteTurn(_ intake: Intake) {
        health.turn(name, jobs: intake.count + inHand.count + slowKinds.waiting.count, isBlocked: publisher.isBlocked)
    }

    private func waitForBroker(_ loss: String) {
        if openedAt > 0, SystemClock.monotonicSeconds() - openedAt > Self.goodSeconds { backoff.reset() }
        openedAt = 0
        health.set(name, .waitingForBroker, cause: loss)
        metrics.reconnects(.broker).increment()
        logger.warning("broker connection lost, connecting anew", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(loss)"])
        environment.topology.lost(declared)
        control.sleep(seconds: backoff.nextSeconds())
    }

    /// Sends what is left of answers and events, as far as there is time for it.
    private func end() {
        bestEffort.end(withinSeconds: control.isOverdue ? 0 : BestEffortPublisher.farewellSeconds)
        endExecutors()
        while !bestEffort.hasEnded, !control.isOverdue { control.sleep(seconds: 0.02) }
    }

    private func fail(_ cause: any Error) -> WorkerFailure {
        health.set(name, .failed, cause: "\(cause)")
        logger.critical(
            "a lane cannot go on, the worker ends", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(cause)"])
        return WorkerFailure(thread: "lane \(name)", cause: cause)
    }

    private func open() throws(Interruption) -> Intake {
        declared = try Interruption.onBroker { () throws(AMQPError) in try environment.topology.declare() }
        let leftovers = plan.drainedFamily.flatMap { declared.leftovers[$0] } ?? []
        return try Intake(
            options.broker, name: "tenantry \(name) in", heartbeatSeconds: options.heartbeatSeconds,
            queues: plan.queues + leftovers, prefetch: pace.first, mostBytes: options.bufferBytes)
    }

    /// Takes jobs until the stop. However it ends while the broker is there, what is still in hand is given back to it at once.
    private func serve(_ intake: Intake) throws(Interruption) {
        do throws(Interruption) {
            try startMain(intake)
            health.set(name, .running)
            while try !isDrained(intake) { try takeNext(intake) }
            intake.close()
        } catch {
            if case .brokerLost = error {} else { intake.close() }
            throw error
        }
    }

    /// Reads what is there; after a stop, says whether all that had been read is done or the time for it is over.
    private func isDrained(_ intake: Intake) throws(Interruption) -> Bool {
        try intake.pump()
        guard control.isStopping else { return false }
        try intake.stopConsuming()
        try intake.pump()
        return intake.isEmpty && isNothingApart || control.isOverdue
    }

    /// Takes the next batch through, or waits for one.
    private func takeNext(_ intake: Intake) throws(Interruption) {
        wakeUp.clear()
        noteTurn(intake)
        try hearOfWhatIsApart(intake)
        if let prefetch = pace.change(from: intake.prefetch, now: SystemClock.monotonicSeconds()) {
            try intake.setPrefetch(prefetch)
        }
        let taken = intake.takeBatch { kind in kind.flatMap { kinds[$0]?.batchLimit } ?? options.batchLimit }
        let batch = try renew(taken, intake)
        guard let first = batch.first else {
            guard taken.isEmpty else { return }
            publisher.keepAlive()
            return intake.wait(for: [control.wake, wakeUp.descriptor], timeoutMilliseconds: 1_000)
        }
        if let kind = Envelope.kind(of: first), kinds[kind]?.runsApart == true, !first.isBodyCut {
            try setAside(batch, intake)
        } else {
            try take(batch, intake)
        }
    }
}
