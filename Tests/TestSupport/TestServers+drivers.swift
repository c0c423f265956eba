private let driverDatabase = Task { try await TestServers.shared.databaseURL() + "?sslmode=disable" }

/// The one database of the driver's tests, which keep to tables of their own.
public func testDatabaseURL() async throws -> String {
    try await driverDatabase.value
}
