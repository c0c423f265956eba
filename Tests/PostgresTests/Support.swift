import Postgres
internal import TestSupport

/// A connection to the test server.
func connect(statementCacheCapacity: Int = 2048) async throws -> Connection {
    let url = try await testDatabaseURL()
    return try Connection(ConnectionOptions(url: url, applicationName: "tests", statementCacheCapacity: statementCacheCapacity))
}

/// The error that the body throws, or nil.
func failure(_ body: () throws -> Void) -> PostgresError? {
    do {
        try body()
        return nil
    } catch {
        return error as? PostgresError
    }
}
