/// A database of its own for a driver's test.
public func testDatabaseURL() async throws -> String {
    try await TestServers.shared.databaseURL() + "?sslmode=disable"
}

/// A virtual host of its own for a driver's test.
public func testBrokerURL() async throws -> String {
    try await TestServers.shared.brokerURL()
}
