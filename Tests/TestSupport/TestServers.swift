public import Embedded

/// One private PostgreSQL and RabbitMQ for all tests of a process. They end with it, however it ends.
public actor TestServers {
    public static let shared = TestServers()

    /// Virtual hosts made at the start; each is given out once.
    public static let virtualHostCount = 320

    private static let virtualHosts = (0..<virtualHostCount).map { index in "t" + String(1000 + index).dropFirst() }

    private var starting: Task<EmbeddedServers, any Error>?
    private var virtualHostsTaken = 0
    private var databasesMade = 0

    /// The pair itself, for tests that stop or restart a server: such a test disturbs all others that run beside it.
    public func servers() async throws -> EmbeddedServers {
        let task = starting ?? Task { try await EmbeddedServers.temporary(virtualHosts: Self.virtualHosts) }
        starting = task
        return try await task.value
    }

    /// A virtual host that no other test of this process uses: `amqp://…/t000`.
    /// - Throws: ``EmbeddedError`` when all are taken.
    public func brokerURL() async throws -> String {
        let index = virtualHostsTaken
        guard index < Self.virtualHosts.count else {
            throw EmbeddedError(
                "All \(index) virtual hosts for tests are taken: let tests share one, or make more in TestServers.")
        }
        virtualHostsTaken += 1
        return try await servers().broker.url(vhost: Self.virtualHosts[index]) ?? ""
    }

    /// A new, empty database of its own: `postgresql://…/test_1`.
    public func databaseURL() async throws -> String {
        databasesMade += 1
        let name = "test_\(databasesMade)"
        return try await servers().database.createDatabase(name)
    }
}
