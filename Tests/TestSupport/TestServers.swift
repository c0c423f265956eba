public import Embedded
internal import Foundation
internal import Testing

/// One private PostgreSQL and one private RabbitMQ for all tests of a process, each started when a test first asks for it. They end with the
/// process, however it ends.
public actor TestServers {
    public static let shared = TestServers()

    private var startingDatabase: Task<DatabaseCluster, any Error>?
    private var startingBroker: Task<BrokerNode, any Error>?
    private var databasesMade = 0
    private var virtualHostsMade = 0

    /// The server itself. A test that stops or restarts it disturbs all others that run beside it.
    ///
    /// Without fsync: no test is about the power that goes off, and a process that is killed loses nothing that it wrote.
    public func database() async throws -> DatabaseCluster {
        let task =
            startingDatabase
            ?? Task {
                var options = DatabaseCluster.Options(directory: Self.newFolder("postgresql"))
                (options.lifetime, options.isDurable) = (.throwAway, false)
                let cluster = DatabaseCluster(options)
                try await cluster.start()
                return cluster
            }
        startingDatabase = task
        return try await task.value
    }

    /// The node itself, without virtual hosts for tests. A test that stops or restarts it disturbs all others that run beside it.
    public func broker() async throws -> BrokerNode {
        let task =
            startingBroker
            ?? Task {
                var options = BrokerNode.Options(directory: Self.newFolder("rabbitmq"))
                options.lifetime = .throwAway
                let node = BrokerNode(options)
                try await node.start()
                return node
            }
        startingBroker = task
        return try await task.value
    }

    /// A virtual host of the test's own, which goes away with the object.
    public func virtualHost() async throws -> TestVirtualHost {
        try Self.requireBroker()
        virtualHostsMade += 1
        let name = "t\(virtualHostsMade)"
        return TestVirtualHost(name: name, url: try await broker().makeVirtualHost(name))
    }

    /// A database of the test's own with schema, plans and an operator, which goes away with the object.
    public func migratedDatabase() async throws -> TestDatabase {
        try await DatabaseTemplate.shared.copy()
    }

    /// A new, empty database, which stays until the end: `postgresql://…/test_1`.
    public func databaseURL() async throws -> String {
        try await database().createDatabase(newDatabaseName())
    }

    /// Ends the test, as skipped, in a run that is to be without a broker. What needs one asks for it before anything else.
    public static func requireBroker() throws {
        guard ProcessInfo.processInfo.environment["TENANTRY_TESTS_WITHOUT_BROKER"] != nil else { return }
        // Of a test with arguments only the case is cancelled, and the test itself is reported as passed: `deploy/test` counts these lines.
        if let test = Test.current {
            FileHandle.standardError.write(
                Data("needs a broker: \(test.sourceLocation.fileID):\(test.sourceLocation.line)\n".utf8))
        }
        #if compiler(>=6.3)
            try Test.cancel("needs a broker")
        #else
            throw EmbeddedError("This test needs a broker. Tests without one can only be told apart with Swift 6.3 or newer.")
        #endif
    }

    func newDatabaseName() -> String {
        databasesMade += 1
        return "test_\(databasesMade)"
    }

    private static func newFolder(_ server: String) -> String {
        NSTemporaryDirectory() + "/tenantry-\(server)-\(UUID().uuidString)"
    }
}
