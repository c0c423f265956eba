internal import Jobs
internal import Logging
internal import Postgres

extension LeaderDuty {
    /// One round. If it fails it is tried again at its next turn; only the loss of the connection is thrown.
    func run(on database: inout Postgres.Connection, _ logger: Logger) throws -> [FleetJob] {
        do {
            return try perform(&database)
        } catch {
            guard database.isUsable else { throw error }
            try database.rollback()
            logger.error("a duty failed", metadata: [LogKey.duty: "\(name)", LogKey.error: "\(error)"])
            return []
        }
    }
}
