internal import Logging
public import Postgres

/// Something that exactly one worker of the fleet does, again and again.
public struct LeaderDuty: Sendable {
    public let name: String
    public let intervalSeconds: Double
    /// Whether a round may take long: then it has a thread and a connection of its own, and keeps no other duty waiting.
    public let runsAside: Bool
    /// One round, on a connection of the leader's; opens its own transactions.
    public let perform: @Sendable (inout Postgres.Connection) throws -> Void

    public init(
        _ name: String, intervalSeconds: Double, runsAside: Bool = false,
        perform: @escaping @Sendable (inout Postgres.Connection) throws -> Void
    ) {
        self.name = name
        self.intervalSeconds = intervalSeconds
        self.runsAside = runsAside
        self.perform = perform
    }
}

extension LeaderDuty {
    /// One round. If it fails it is tried again at its next turn; only the loss of the connection is thrown.
    func run(on database: inout Postgres.Connection, _ logger: Logger) throws {
        do {
            try perform(&database)
        } catch {
            guard database.isUsable else { throw error }
            try database.rollback()
            logger.error("a duty failed", metadata: [LogKey.duty: "\(name)", LogKey.error: "\(error)"])
        }
    }
}
