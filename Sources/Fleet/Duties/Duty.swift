internal import AMQP
internal import Jobs
internal import Logging
internal import Postgres

/// Something that the leader does again and again, ready to be run on the thread that made it.
struct Duty {
    let name: String
    let intervalSeconds: Double
    /// Whether it publishes. Such duties rest while the broker is away; the others go on.
    var needsBroker = false
    /// One round, on a connection of the leader's, which opens its own transactions.
    let perform: (inout Postgres.Connection) throws -> Void

    /// One round. If it fails it is tried again at its next turn.
    ///
    /// - Throws: only when a server is lost.
    func run(on database: inout Postgres.Connection, _ logger: Logger) throws(Interruption) {
        do {
            try perform(&database)
        } catch {
            guard database.isUsable else { throw .databaseAway(error) }
            do throws(PostgresError) {
                try database.rollback()
            } catch {
                throw .databaseAway(error)
            }
            // Whoever leads now does it.
            if error is Leases.Over || (error as? PostgresError)?.isFenced == true { return }
            if needsBroker, let error = error as? AMQPError { throw .brokerLost(.connection(error)) }
            logger.error("a duty failed", metadata: [LogKey.duty: "\(name)", LogKey.error: "\(error)"])
        }
    }
}

/// When each duty's next turn is.
struct DutySchedule {
    private var dueAt: [String: Double] = [:]

    /// Whether it is the duty's turn, which begins now then; the next one comes after the interval. The first is at once.
    mutating func isDue(_ name: String, every seconds: Double, now: Double) -> Bool {
        guard dueAt[name, default: 0] <= now else { return false }
        dueAt[name] = now + seconds
        return true
    }
}
