internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging
internal import Postgres

/// The database's part of the way of a job. An executor's thread makes one and is alone to use it.
final class BatchProcessor {
    let handlers: [Kind: any JobHandler]
    let executor: JobExecutor
    let logger: Logger
    var authorization = Authorization(Directory())
    var notes = Quarantine.Notes()
    /// Written every few seconds at most, so that many senders cost a statement and no more.
    let credentialUses = CredentialUses(pauseSeconds: 5)
    let lane: String
    private let environment: LaneEnvironment
    private let metrics: FleetMetrics
    private var patience = DatabasePatience()
    /// How often the last connection was tried for.
    private var connectionTries = 0

    init(_ plan: LanePlan, _ environment: LaneEnvironment, _ metrics: FleetMetrics, _ executor: JobExecutor) {
        lane = plan.name
        self.environment = environment
        self.metrics = metrics
        self.executor = executor
        logger = environment.logger
        handlers = Dictionary(uniqueKeysWithValues: plan.makeHandlers().map { ($0.kind, $0) })
    }

    private var control: LaneControl { environment.control }
    var ladder: RetryLadder { environment.options.ladder }
    var parked: ParkedTenants { environment.parked }

    /// Takes a batch through, in the parts that its past asks for, however often the database goes away meanwhile.
    ///
    /// - Returns: how it ended: `.goOn` if all of it is through.
    func take(_ batch: [Delivery], _ database: inout Postgres.Connection) throws(Interruption) -> JobExecutor.Sequel {
        var parts: ArraySlice<Quarantine.Part>?
        var isRepeat = false
        var backoff = Backoff()
        var losses = 0
        var isTroubled = false
        while true {
            do throws(Interruption) {
                if parts == nil { parts = try divide(batch, on: &database)[...] }
                while let part = parts?.first {
                    let pass = try enter(alone: part.isAlone)
                    executor.update { $0.pass = pass }
                    defer { leave(pass) }
                    let sequel = try work(part, &database)
                    parts?.removeFirst()
                    isRepeat = false
                    losses = 0
                    backoff.reset()
                    try onDatabase { () throws(PostgresError) in
                        if sequel == .goOn { try notes.end(on: &database) } else { try notes.takeBack(on: &database) }
                    }
                    patience.reset()
                    guard sequel == .goOn else { return sequel }
                }
                if isTroubled { setHealth(.running) }
                return .goOn
            } catch {
                guard case .databaseAway(let cause) = error else { throw error }
                if executor.isToEnd { throw takenBack(&database) }
                if isRepeat { control.sleep(seconds: min(backoff.nextSeconds(), 1)) }
                // Whether the last commit went through is unknown: the same part runs again, and the keys tell the truth.
                database = try reconnect(after: cause)
                isRepeat = true
                isTroubled = true
                losses = wasLostOnly(cause) ? losses + 1 : 0
                guard losses >= Self.mostLosses, let part = parts?.first else { continue }
                losses = 0
                guard part.deliveries.count == 1 else {
                    parts = parts.map { part.singles[...] + $0.dropFirst() }
                    continue
                }
                let sequel = try giveUp(part, cause, &database)
                parts?.removeFirst()
                guard sequel == .goOn else { return sequel }
            }
        }
    }

    /// So often in a row the connection may break while a part is in hand, and be there again at once, before the part is taken for the cause.
    private static let mostLosses = 5

    /// Whether the session ended, and the server was there all the while.
    private func wasLostOnly(_ cause: any Error) -> Bool {
        guard let error = cause as? PostgresError, connectionTries == 1 else { return false }
        return error.fault == .session || error.isConnectionLoss
    }

    /// A job whose session ends each time has that as its failure: it is tried again on the ladder.
    private func giveUp(
        _ part: Quarantine.Part, _ cause: any Error, _ database: inout Postgres.Connection
    ) throws(Interruption) -> JobExecutor.Sequel {
        let began = SystemClock.monotonicSeconds()
        let outcome = Outcome.failed(cause: "its database session ended \(Self.mostLosses) times: \(cause)")
        let jobs = part.deliveries.map { FinishedJob($0, sender: nil, outcome) }
        let finished = try onDatabase { () throws(PostgresError) in try withLetters(jobs, on: &database) }
        return try executor.publish(finished, began: began, self, &database)
    }

    /// The time to drain is over: nothing died of what was begun.
    private func takenBack(_ database: inout Postgres.Connection) -> Interruption {
        do throws(PostgresError) {
            if database.isUsable { try notes.takeBack(on: &database) }
        } catch {
            logger.warning(
                "the quarantine's notes stay as they are", metadata: [LogKey.lane: "\(lane)", LogKey.error: "\(error)"])
        }
        return .stopped
    }

    /// A database connection, however long it takes.
    ///
    /// - Parameter hasBatch: whether there is a batch in hand, which is a reason to go on trying after a stop was asked for.
    func connect(hasBatch: Bool) throws(Interruption) -> Postgres.Connection {
        var backoff = Backoff()
        connectionTries = 0
        while true {
            connectionTries += 1
            do throws(PostgresError) {
                var connection = try Postgres.Connection(environment.options.laneDatabase)
                connection.deadline = executor.deadline
                return connection
            } catch {
                let interruption = patience.interruption(by: error)
                guard case .databaseAway = interruption else { throw interruption }
                setHealth(.waitingForDatabase, "\(error)")
                logger.warning("database cannot be reached", metadata: [LogKey.lane: "\(lane)", LogKey.error: "\(error)"])
            }
            if executor.isToEnd || control.isStopping && (!hasBatch || control.isOverdue) { throw .stopped }
            control.sleep(seconds: min(backoff.nextSeconds(), 1))
        }
    }

    /// Whether the server's process behind the connection has come to hold more schemas than one should.
    func isWorn(_ database: borrowing Postgres.Connection) -> Bool {
        database.touchedSchemas.count > environment.options.schemasPerConnection
    }

    func reconnect(after cause: any Error) throws(Interruption) -> Postgres.Connection {
        setHealth(.waitingForDatabase, "\(cause)")
        metrics.reconnects(.database).increment()
        logger.warning("database is away, connecting anew", metadata: [LogKey.lane: "\(lane)", LogKey.error: "\(cause)"])
        let connection = try connect(hasBatch: true)
        // What the server refuses it may go on refusing: only once the batch is through all is well again.
        if (cause as? PostgresError)?.isConnectionLoss ?? true { setHealth(.running) }
        return connection
    }

    /// A lane whose batch has gone apart works with another executor, which speaks for it.
    private func setHealth(_ state: LaneHealth.State, _ cause: String = "") {
        if !executor.isApart { environment.health.set(lane, state, cause: cause.replacing("\n", with: " ")) }
    }

    private func divide(_ batch: [Delivery], on database: inout Postgres.Connection) throws(Interruption) -> [Quarantine.Part] {
        try onDatabase { () throws(PostgresError) in
            try notes.takeBack(on: &database)
            return try notes.parts(of: batch, on: &database)
        }
    }

    /// Waits until this worker's other lanes let the part in.
    private func enter(alone: Bool) throws(Interruption) -> Quarantine.Gate.Pass {
        let gate = environment.gate
        if let pass = gate.enter(lane, alone: alone) { return pass }
        defer { gate.giveUp(lane) }
        while true {
            if executor.isToEnd || control.isOverdue { throw .stopped }
            control.sleep(seconds: 0.02)
            if let pass = gate.enter(lane, alone: alone) { return pass }
        }
    }

    private func leave(_ pass: Quarantine.Gate.Pass) {
        executor.update { $0.pass = nil }
        pass.leave()
    }

    /// Does a part's effects and has them published.
    private func work(_ part: Quarantine.Part, _ database: inout Postgres.Connection) throws(Interruption) -> JobExecutor.Sequel {
        let began = SystemClock.monotonicSeconds()
        executor.update { progress in
            progress.workingSince = began
            progress.account = nil
            progress.isUnwelcome = false
        }
        defer { executor.update { $0.workingSince = nil } }
        let finished = try onDatabase { () throws(PostgresError) in try finish(part, on: &database) }
        executor.update { $0.workingSince = nil }
        let sequel = try executor.publish(finished, began: began, self, &database)
        noteUses(by: finished, on: &database)
        return sequel
    }

    func onDatabase<Value>(_ body: () throws(PostgresError) -> Value) throws(Interruption) -> Value {
        do throws(PostgresError) {
            return try body()
        } catch {
            throw patience.interruption(by: error)
        }
    }
}
