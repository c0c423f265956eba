internal import Glibc
internal import Synchronization

/// A private RabbitMQ node with data, cookie and port mapper (epmd) of its own, all of them on the loopback interface alone.
/// It runs as the user who starts it, root included, beside the system's own node and others like it.
public final class BrokerNode: Sendable {
    public struct Options: Sendable {
        /// Made if it isn't there. Holds the data, configuration, passwords, logs and the record of the running node.
        public var directory: String
        /// AMQP; 0 takes a free one.
        public var port = 0
        /// Made at the start if they aren't there; the first is the main one.
        public var virtualHosts = ["tenantry"]
        public var user = "tenantry"
        public var plugins = ["rabbitmq_consistent_hash_exchange"]
        /// Further lines of `rabbitmq.conf`.
        public var configuration: [String] = []
        public var startDeadlineSeconds = 90.0
        public var lifetime = Lifetime.owner
        public var programs = ServerPrograms()

        public init(directory: String) { self.directory = directory }
    }

    /// Ports of one start: AMQP, Erlang distribution, Erlang port mapper.
    struct Ports: Codable, Sendable {
        var amqp: Int
        var distribution: Int
        var mapper: Int
    }

    /// What a later process needs to find the running node; `running.json`.
    struct Record: Codable, Sendable {
        var process: ProcessIdentity
        var mapper: ProcessIdentity
        var ports: Ports
        var nodeName: String
        var virtualHosts: [String]
        var user: String
        var password: String
    }

    public let options: Options
    let record: Mutex<Record?>
    let watchdog: Mutex<Watchdog?>

    public convenience init(_ options: Options) { self.init(options, watchdog: nil, record: nil) }

    init(_ options: Options, watchdog: Watchdog?, record: Record?) {
        self.options = options
        self.watchdog = Mutex(watchdog)
        self.record = Mutex(record)
    }

    /// The node that an earlier process started in this directory and that still runs, if there is one.
    public static func attach(directory: String) -> BrokerNode? {
        guard let record = RunningRecord.read(Record.self, in: directory), record.process.isAlive else { return nil }
        var options = Options(directory: directory)
        (options.port, options.virtualHosts, options.user) = (record.ports.amqp, record.virtualHosts, record.user)
        options.lifetime = .detached
        return BrokerNode(options, watchdog: nil, record: record)
    }

    /// The Erlang machine; nil unless it was started here or attached.
    public var pid: Int32? { record.withLock { $0?.process.pid } }
    /// The node's own Erlang port mapper (epmd).
    public var mapperPID: Int32? { record.withLock { $0?.mapper.pid } }
    public var port: Int? { record.withLock { $0?.ports.amqp } }
    public var isRunning: Bool { record.withLock { $0 }?.process.isAlive ?? false }
    public var logPath: String { options.directory + "/log/rabbitmq.log" }
    /// `tenantry-<random>@localhost`; stays the same for a directory, as the data is filed under it.
    public var nodeName: String? { record.withLock { $0?.nodeName } }

    /// `amqp://user:password@127.0.0.1:port/vhost` of the main virtual host, or of another one; the user is an administrator.
    /// nil unless the node was started.
    public func url(vhost: String? = nil) -> String? {
        record.withLock { $0 }.map {
            "amqp://\($0.user):\($0.password)@127.0.0.1:\($0.ports.amqp)/\(vhost ?? $0.virtualHosts.first ?? "%2F")"
        }
    }

    /// Runs rabbitmqctl against this node and returns what it prints; about 1 s. For example `["list_queues", "-p", "t000"]`.
    /// - Throws: ``EmbeddedError`` with rabbitmqctl's own words.
    public func run(ctl arguments: [String]) async throws -> String {
        guard let record = record.withLock({ $0 }) else { throw EmbeddedError("RabbitMQ was not started.") }
        let command = Command(
            program: try options.programs.rabbit("rabbitmqctl"), arguments: ["--quiet", "--node", record.nodeName] + arguments,
            environment: environment(record.ports, nodeName: record.nodeName), folder: options.directory)
        return try await command.run(deadlineSeconds: 60)
    }

    /// Stops the node and waits for its end; a throw-away one by SIGKILL, another one in order (about 3 s). The folder stays.
    public func stop() async throws {
        try await stop(hastily: options.lifetime == .throwAway)
    }

    /// Stops and starts the node, with the same ports. In order, or by SIGKILL: a crash.
    public func restart(crash: Bool = false) async throws {
        guard let ports = record.withLock({ $0?.ports }) else { throw EmbeddedError("RabbitMQ was not started.") }
        try await stop(hastily: crash)
        try await start(on: ports)
    }

    func stop(hastily: Bool) async throws {
        try await shielded { [self] in
            if let record = record.withLock({ $0 }) {
                guard await record.process.end(hastily ? SIGKILL : SIGTERM, graceSeconds: hastily ? 5 : 30),
                    await record.mapper.end(SIGKILL, graceSeconds: 5)
                else { throw EmbeddedError("RabbitMQ (\(record.process.pid)) does not end.", logPath: logPath) }
            }
            record.withLock { $0 = nil }
            RunningRecord.remove(in: options.directory)
        }
    }
}
