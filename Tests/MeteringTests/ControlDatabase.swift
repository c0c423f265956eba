internal import Postgres
internal import Schema
internal import TestSupport

/// A database of its own with the control schema, and nothing else.
func controlDatabase() async throws -> Connection {
    let options = ConnectionOptions(url: try await TestServers.shared.databaseURL())
    _ = try Migrator(options).run()
    return try Connection(options)
}
