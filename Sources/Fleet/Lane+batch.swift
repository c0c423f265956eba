internal import AMQP
internal import CoreMetrics
internal import Logging
internal import Postgres

extension Lane {
    /// Takes a batch through, in the parts that its past asks for, however often the database goes away meanwhile.
    func take(_ batch: [Delivery], through intake: Intake, _ database: inout Postgres.Connection) throws(Interruption) {
        var parts: ArraySlice<Quarantine.Part>?
        var isRepeat = false
        var backoff = Backoff()
        while true {
            do throws(Interruption) {
                if parts == nil { parts = try divide(batch, on: &database)[...] }
                while let part = parts?.first {
                    try enter(alone: part.isAlone, intake)
                    defer { environment.gate.leave(alone: part.isAlone) }
                    try work(part, intake, &database)
                    parts?.removeFirst()
                    isRepeat = false
                    patience.reset()
                    backoff.reset()
                }
                return
            } catch {
                guard case .databaseAway(let cause) = error else { throw error }
                if isRepeat { control.sleep(seconds: min(backoff.nextSeconds(), 1)) }
                // Whether the last commit went through is unknown: the same part runs again, and the keys tell the truth.
                database = try reconnect(for: intake, after: cause)
                isRepeat = true
            }
        }
    }

    private func divide(_ batch: [Delivery], on database: inout Postgres.Connection) throws(Interruption) -> [Quarantine.Part] {
        do throws(PostgresError) {
            try notes.takeBack(on: &database)
            return try notes.parts(of: batch, on: &database)
        } catch {
            throw patience.interruption(by: error)
        }
    }

    /// Waits until this worker's other lanes let the part in.
    private func enter(alone: Bool, _ intake: Intake) throws(Interruption) {
        let gate = environment.gate
        if !gate.enter(name, alone: alone) {
            defer { gate.giveUp(name) }
            repeat {
                if control.isOverdue { throw .stopped }
                control.sleep(seconds: 0.02)
                try intake.pump()
                publisher.keepAlive()
            } while !gate.enter(name, alone: alone)
        }
        guard control.isOverdue else { return }
        gate.leave(alone: alone)
        throw .stopped
    }

    private func reconnect(for intake: Intake, after cause: any Error) throws(Interruption) -> Postgres.Connection {
        health.set(name, .waitingForDatabase)
        metrics.reconnects(.database).increment()
        logger.warning("database is away, connecting anew", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(cause)"])
        let connection = try connect(for: intake)
        health.set(name, .running)
        return connection
    }

    /// A database connection, however long it takes. Meanwhile the broker's connections are read, so that their heartbeats go on.
    func connect(for intake: Intake) throws(Interruption) -> Postgres.Connection {
        var backoff = Backoff()
        while true {
            do throws(PostgresError) {
                var connection = try Postgres.Connection(options.database)
                connection.companion(descriptor: intake.descriptor) { [unowned intake] in intake.readAhead() }
                return connection
            } catch {
                let interruption = patience.interruption(by: error)
                guard case .databaseAway = interruption else { throw interruption }
                health.set(name, .waitingForDatabase)
                logger.warning("database cannot be reached", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
            }
            if control.isStopping, intake.isEmpty || control.isOverdue { throw .stopped }
            control.sleep(seconds: min(backoff.nextSeconds(), 1))
            try intake.pump()
            publisher.keepAlive()
        }
    }
}
