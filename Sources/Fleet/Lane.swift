internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging
internal import Postgres

/// One consumer: a thread with a broker connection and a database connection, which takes jobs through from end to end.
///
/// Everything here runs on the lane's own thread; ``LaneControl`` is the only thing shared.
final class Lane {
    let name: String
    let options: FleetOptions
    let control: LaneControl
    let health: LaneHealth
    let metrics: FleetMetrics
    let logger: Logger
    let handlers: [Kind: any JobHandler]
    let publisher: Publisher
    let directory = Directory()
    var examination: Examination
    var suspects = Suspects()
    private let solitude: Solitude
    private let queues: [String]
    /// The family whose former partitions this lane empties, too.
    private let drainedFamily: Family?

    init(
        name: String, queues: [String], drainedFamily: Family?, handlers: [any JobHandler], options: FleetOptions,
        control: LaneControl, solitude: Solitude, health: LaneHealth, metrics: FleetMetrics, logger: Logger
    ) {
        self.name = name
        self.queues = queues
        self.drainedFamily = drainedFamily
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.kind, $0) })
        self.options = options
        self.control = control
        self.solitude = solitude
        self.health = health
        self.metrics = metrics
        self.logger = logger
        publisher = Publisher(options.broker, name: "tenantry \(name) out", heartbeatSeconds: options.heartbeatSeconds)
        examination = Examination(directory)
    }

    /// Serves until a stop is asked for and what is in hand is done. A server that goes away is waited for.
    func run() {
        var backoff = Backoff()
        while !control.isStopping {
            do throws(AMQPError) {
                let intake = try open()
                backoff.reset()
                try serve(intake)
            } catch {
                health.set(name, .waitingForBroker)
                metrics.reconnects(.broker).increment()
                logger.warning(
                    "broker connection lost, connecting anew", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
                control.sleep(seconds: backoff.nextSeconds())
            }
        }
        health.set(name, .stopped)
    }

    private func open() throws(AMQPError) -> Intake {
        if options.declaresTopology {
            try TopologyDeclaration(options).apply(to: options.broker)
        }
        var queues = queues
        if let drainedFamily { queues += try TopologyDeclaration(options).leftovers(of: drainedFamily) }
        // Enough for the batch in hand and the next one, which is read while the database works. Kinds that come one at a time
        // are left to whichever worker is free.
        let largestBatch = handlers.values.map(\.batchLimit).max() ?? 1
        return try Intake(
            options.broker, name: "tenantry \(name) in", heartbeatSeconds: options.heartbeatSeconds, queues: queues,
            prefetch: largestBatch * 2, mostBytes: options.bufferBytes)
    }

    private func serve(_ intake: Intake) throws(AMQPError) {
        guard var database = try connect(for: intake) else { return intake.close() }
        health.set(name, .running)
        while true {
            try intake.pump()
            if control.isStopping {
                try intake.stopConsuming()
                try intake.pump()
                if intake.isEmpty || control.isOverdue { return intake.close() }
            }
            let batch = intake.takeBatch { kind in kind.flatMap { handlers[$0]?.batchLimit } ?? options.batchLimit }
            guard !batch.isEmpty else {
                publisher.keepAlive()
                intake.wait(wake: control.wake, timeoutMilliseconds: 1_000)
                continue
            }
            guard try take(batch, through: intake, &database) else { return intake.close() }
            if renewIsDue(database), let fresh = try connect(for: intake) { database = fresh }
        }
    }

    /// Takes a batch through, in the parts that its past asks for, however often the database goes away meanwhile.
    ///
    /// - Returns: false when a drain's time is over first.
    private func take(_ batch: [Delivery], through intake: Intake, _ database: inout Postgres.Connection) throws(AMQPError)
        -> Bool
    {
        var parts: ArraySlice<Suspects.Part>?
        var isRepeat = false
        var backoff = Backoff()
        while true {
            do {
                if parts == nil {
                    try suspects.takeBack(on: &database)
                    parts = try suspects.parts(of: batch, on: &database)[...]
                }
                while let part = parts?.first {
                    guard try enter(alone: part.isAlone, intake) else { return false }
                    defer { solitude.leave(alone: part.isAlone) }
                    try work(part, intake, &database)
                    parts?.removeFirst()
                    isRepeat = false
                    backoff.reset()
                }
                return true
            } catch let error as AMQPError {
                throw error
            } catch {
                if isRepeat { control.sleep(seconds: min(backoff.nextSeconds(), 1)) }
                // Whether the last commit went through is unknown: the same part runs again, and the keys tell the truth.
                guard let fresh = try reconnect(for: intake, after: error) else { return false }
                database = fresh
                isRepeat = true
            }
        }
    }

    /// Waits for a place among this worker's lanes; false when a drain's time is over first.
    private func enter(alone: Bool, _ intake: Intake) throws(AMQPError) -> Bool {
        guard !solitude.enter(name, alone: alone) else { return !isTooLate(alone: alone) }
        defer { solitude.giveUp(name) }
        repeat {
            if control.isOverdue { return false }
            control.sleep(seconds: 0.02)
            try intake.pump()
            publisher.keepAlive()
        } while !solitude.enter(name, alone: alone)
        return !isTooLate(alone: alone)
    }

    private func isTooLate(alone: Bool) -> Bool {
        guard control.isOverdue else { return false }
        solitude.leave(alone: alone)
        return true
    }

    /// A backend never forgets a schema that it worked in; a fresh one starts small. Between batches only: a job that goes through many
    /// schemas in parts keeps its connection to its end.
    private func renewIsDue(_ database: borrowing Postgres.Connection) -> Bool {
        database.touchedSchemas.count > options.schemasPerConnection
    }

    private func reconnect(for intake: Intake, after error: any Error) throws(AMQPError) -> Postgres.Connection? {
        health.set(name, .waitingForDatabase)
        metrics.reconnects(.database).increment()
        logger.warning("database is away, connecting anew", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
        let connection = try connect(for: intake)
        if connection != nil { health.set(name, .running) }
        return connection
    }

    /// A database connection, however long it takes; nil when a drain's time is over first. The broker is kept company meanwhile.
    private func connect(for intake: Intake) throws(AMQPError) -> Postgres.Connection? {
        var backoff = Backoff()
        while true {
            do throws(PostgresError) {
                var connection = try Postgres.Connection(options.database)
                connection.companion(descriptor: intake.descriptor) { [unowned intake] in intake.readAhead() }
                return connection
            } catch {
                health.set(name, .waitingForDatabase)
                logger.warning("database cannot be reached", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
            }
            if control.isStopping, intake.isEmpty || control.isOverdue { return nil }
            control.sleep(seconds: min(backoff.nextSeconds(), 1))
            try intake.pump()
            publisher.keepAlive()
        }
    }
}
