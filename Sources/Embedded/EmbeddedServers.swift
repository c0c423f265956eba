internal import FoundationEssentials
internal import Glibc

/// One private PostgreSQL and one private RabbitMQ: all that Tenantry needs to run on a machine that has the Debian packages.
public struct EmbeddedServers: Sendable {
    public struct Options: Sendable {
        /// 0 takes free ones.
        public var databasePort = 0
        public var brokerPort = 0
        public var virtualHosts = ["tenantry"]
        public var lifetime = Lifetime.owner
        public var programs = ServerPrograms()

        public init() {}
    }

    /// Absolute; `postgresql/` and `rabbitmq/` are in it.
    public let directory: String
    public let database: DatabaseCluster
    public let broker: BrokerNode
    private let watchdog: Watchdog?
    private let lifetime: Lifetime

    public var databaseURL: String { database.url() ?? "" }
    public var brokerURL: String { broker.url() ?? "" }

    /// Starts both at once, over the data that is there if there is any. What an earlier start left half is ended first.
    /// - Parameter directory: made if it isn't there, for example `.tenantry`.
    /// - Throws: ``EmbeddedError``, also when a pair already runs there (see ``attach(directory:)``); nothing is left running then.
    public static func start(in directory: String, _ options: Options = Options()) async throws -> EmbeddedServers {
        let directory = URL(filePath: directory).standardizedFileURL.path
        // Closed to others but not to PostgreSQL's user, who must get through; all secrets below are in files of mode 0600.
        try ServerFile.makeFolder(directory, mode: 0o711)
        let lock = try DirectoryLock(directory)
        if attach(directory: directory) != nil { throw EmbeddedError("Servers already run in \(directory).") }
        try await DatabaseCluster.attach(directory: directory + "/postgresql")?.stop()
        try await BrokerNode.attach(directory: directory + "/rabbitmq")?.stop()

        let watchdog = options.lifetime == .detached ? nil : try Watchdog(programs: options.programs)
        if options.lifetime == .throwAway { watchdog?.guardFolder(directory) }
        let servers = EmbeddedServers(directory, options, watchdog)
        do {
            async let database = servers.database.start()
            async let broker = servers.broker.start()
            _ = try await (database, broker)
        } catch {
            try await servers.stop()
            throw error
        }
        lock.release()
        return servers
    }

    /// A pair for tests, in a folder of its own under the temporary one; nothing reaches the disk on purpose.
    public static func temporary(virtualHosts: [String] = ["tenantry"], programs: ServerPrograms = ServerPrograms()) async throws
        -> Self
    {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var options = Options()
        (options.virtualHosts, options.programs, options.lifetime) = (virtualHosts, programs, .throwAway)
        return try await start(in: "\(parent)/tenantry-\(ServerFile.randomWord(length: 12))", options)
    }

    /// The pair that an earlier process started in this directory and that still runs; nil unless both do.
    public static func attach(directory: String) -> EmbeddedServers? {
        let directory = URL(filePath: directory).standardizedFileURL.path
        guard let database = DatabaseCluster.attach(directory: directory + "/postgresql"),
            let broker = BrokerNode.attach(directory: directory + "/rabbitmq")
        else { return nil }
        return EmbeddedServers(directory, database, broker)
    }

    /// Stops whatever still runs in the directory and removes all data.
    public static func remove(directory: String) async throws {
        let directory = URL(filePath: directory).standardizedFileURL.path
        try await DatabaseCluster.attach(directory: directory + "/postgresql")?.stop()
        try await BrokerNode.attach(directory: directory + "/rabbitmq")?.stop()
        try await removeFolders(directory)
    }

    private init(_ directory: String, _ options: Options, _ watchdog: Watchdog?) {
        var database = DatabaseCluster.Options(directory: directory + "/postgresql")
        (database.port, database.lifetime, database.programs) = (options.databasePort, options.lifetime, options.programs)
        database.isDurable = options.lifetime != .throwAway
        var broker = BrokerNode.Options(directory: directory + "/rabbitmq")
        (broker.port, broker.lifetime, broker.programs) = (options.brokerPort, options.lifetime, options.programs)
        broker.virtualHosts = options.virtualHosts
        self.directory = directory
        self.database = DatabaseCluster(database, watchdog: watchdog, record: nil)
        self.broker = BrokerNode(broker, watchdog: watchdog, record: nil)
        self.watchdog = watchdog
        self.lifetime = options.lifetime
    }

    private init(_ directory: String, _ database: DatabaseCluster, _ broker: BrokerNode) {
        (self.directory, self.database, self.broker) = (directory, database, broker)
        (watchdog, lifetime) = (nil, .detached)
    }

    /// Stops both and waits for their end; a throw-away pair's folder is removed.
    public func stop() async throws {
        try await shielded {
            async let database: Void = database.stop()
            async let broker: Void = broker.stop()
            _ = try await (database, broker)
            if lifetime == .throwAway { try await Self.removeFolders(directory) }
            await watchdog?.dismiss()
        }
    }

    /// PostgreSQL's data may lie elsewhere, behind a link.
    private static func removeFolders(_ directory: String) async throws {
        if let data = try? FileManager.default.destinationOfSymbolicLink(atPath: directory + "/postgresql/data") {
            try await ServerFile.removeFolder(data)
        }
        try await ServerFile.removeFolder(directory)
    }
}
