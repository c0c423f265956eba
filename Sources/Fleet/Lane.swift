internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging
internal import Postgres

/// One consumer: a thread with a broker connection and a database connection, which takes jobs through from end to end.
///
/// Everything here runs on the lane's own thread; what it shares with the worker's other lanes is its ``LaneEnvironment``.
final class Lane {
    let plan: LanePlan
    let environment: LaneEnvironment
    let metrics: FleetMetrics
    let handlers: [Kind: any JobHandler]
    let publisher: Publisher
    var authorization = Authorization(Directory())
    var notes = Quarantine.Notes()
    /// The declaration of queues that this lane's consumers were started under.
    var declared = TopologyOwner.Declared.none
    var patience = DatabasePatience()

    init(_ plan: LanePlan, _ environment: LaneEnvironment) {
        self.plan = plan
        self.environment = environment
        metrics = FleetMetrics(tally: environment.tally)
        handlers = Dictionary(uniqueKeysWithValues: plan.makeHandlers().map { ($0.kind, $0) })
        let options = environment.options
        publisher = Publisher(options.broker, name: "tenantry \(plan.name) out", heartbeatSeconds: options.heartbeatSeconds)
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
        var backoff = Backoff()
        while !control.isStopping {
            do throws(Interruption) {
                let intake = try open()
                backoff.reset()
                try serve(intake)
            } catch {
                switch error {
                case .stopped: break
                case .brokerLost(let loss): waitForBroker(seconds: backoff.nextSeconds(), "\(loss)")
                case .databaseAway:
                    // Lost between two batches: there is nothing to do again.
                    health.set(name, .waitingForDatabase)
                    control.sleep(seconds: backoff.nextSeconds())
                case .fatal(let cause): return fail(cause)
                }
            }
        }
        health.set(name, .stopped)
        return nil
    }

    private func waitForBroker(seconds: Double, _ loss: String) {
        health.set(name, .waitingForBroker)
        metrics.reconnects(.broker).increment()
        logger.warning("broker connection lost, connecting anew", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(loss)"])
        environment.topology.lost(declared)
        control.sleep(seconds: seconds)
    }

    private func fail(_ cause: any Error) -> WorkerFailure {
        health.set(name, .failed)
        logger.critical(
            "a lane cannot go on, the worker ends", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(cause)"])
        return WorkerFailure(thread: "lane \(name)", cause: cause)
    }

    private func open() throws(Interruption) -> Intake {
        declared = try Interruption.onBroker { () throws(AMQPError) in try environment.topology.declare() }
        let leftovers = plan.drainedFamily.flatMap { declared.leftovers[$0] } ?? []
        // Enough for the batch in hand and the next one, which is read while the database works. Kinds that come one at a time
        // are left to whichever worker is free.
        let largestBatch = handlers.values.map(\.batchLimit).max() ?? 1
        return try Intake(
            options.broker, name: "tenantry \(name) in", heartbeatSeconds: options.heartbeatSeconds,
            queues: plan.queues + leftovers, prefetch: largestBatch * 2, mostBytes: options.bufferBytes)
    }

    /// Takes jobs until the stop. However it ends while the broker is there, what is still in hand is given back to it at once.
    private func serve(_ intake: Intake) throws(Interruption) {
        do throws(Interruption) {
            var database = try connect(for: intake)
            health.set(name, .running)
            while try !isDrained(intake) { try takeNext(intake, &database) }
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
        return intake.isEmpty || control.isOverdue
    }

    /// Takes the next batch through, or waits for one.
    private func takeNext(_ intake: Intake, _ database: inout Postgres.Connection) throws(Interruption) {
        let batch = intake.takeBatch { kind in kind.flatMap { handlers[$0]?.batchLimit } ?? options.batchLimit }
        guard !batch.isEmpty else {
            publisher.keepAlive()
            return intake.wait(wake: control.wake, timeoutMilliseconds: 1_000)
        }
        try take(batch, through: intake, &database)
        // A backend never forgets a schema that it worked in; a fresh one starts small. Between batches only: a job that goes through
        // many schemas in parts keeps its connection to its end.
        if database.touchedSchemas.count > options.schemasPerConnection { database = try connect(for: intake) }
    }
}
