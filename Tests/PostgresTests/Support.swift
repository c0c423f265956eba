import Postgres
internal import TestSupport

/// A connection to the test server.
func connect(statementCacheCapacity: Int = 2048) async throws -> Connection {
    let url = try await testDatabaseURL()
    return try Connection(ConnectionOptions(url: url, applicationName: "tests", statementCacheCapacity: statementCacheCapacity))
}

func parameters(_ fill: (inout Parameters) -> Void) -> Parameters {
    var parameters = Parameters()
    fill(&parameters)
    return parameters
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
