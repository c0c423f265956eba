internal import ArgumentParser
internal import Logging
internal import Postgres
internal import Schema

/// A command that works with the servers of the settings. Reading the settings is `async`; the work is not, because a connection of the
/// drivers stays on its thread.
protocol ServerCommand: AsyncParsableCommand {
    var server: ServerOptions { get }
    func run(with settings: Settings) throws
}

extension ServerCommand {
    func run() async throws {
        try run(with: try await Settings(server))
    }
}

extension ParsableCommand {
    /// A schema that is behind is a mistake to be told at once. A database that is away is not: the lanes wait for it.
    func checkSchema(_ options: ConnectionOptions, _ logger: Logger) throws {
        do {
            var database = try Connection(options)
            let missing = try Migrator.missingControlMigrations(on: &database)
            guard missing.isEmpty else {
                throw Failure("the database lacks \(missing.joined(separator: ", ")): run `tenantry migrate`")
            }
        } catch let error as PostgresError where error.isConnectionLoss {
            logger.warning("database cannot be reached yet", metadata: ["error": "\(error)"])
        }
    }
}
