internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// A private PostgreSQL server with data of its own, on 127.0.0.1 over TCP alone, behind a random password (scram-sha-256).
public final class DatabaseCluster: Sendable {
    public struct Options: Sendable {
        /// Made if it isn't there. Holds the data, or a link to it, the password, the log and the record of the running server.
        public var directory: String
        /// 0 takes a free one.
        public var port = 0
        /// Commits reach the disk. Without, the data does not outlive a crash of the machine, and everything is quicker.
        public var isDurable = true
        public var databaseName = "tenantry"
        public var user = "tenantry"
        public var maxConnections = 200
        public var sharedBuffersMegabytes = 256
        public var maxLocksPerTransaction = 256
        public var startDeadlineSeconds = 60.0
        public var lifetime = Lifetime.owner
        public var programs = ServerPrograms()

        public init(directory: String) { self.directory = directory }
    }

    /// What a later process needs to find the running server; `running.json`.
    struct Record: Codable, Sendable {
        var process: ProcessIdentity
        var port: Int
        var user: String
        var databaseName: String
        var password: String
        /// The folder of the binaries that fit the data.
        var programs: String
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

    /// The server that an earlier process started in this directory and that still runs, if there is one.
    public static func attach(directory: String) -> DatabaseCluster? {
        guard let record = RunningRecord.read(Record.self, in: directory), record.process.isAlive else { return nil }
        var options = Options(directory: directory)
        (options.port, options.user, options.databaseName) = (record.port, record.user, record.databaseName)
        options.lifetime = .detached
        return DatabaseCluster(options, watchdog: nil, record: record)
    }

    /// The postmaster; nil unless it was started here or attached.
    public var pid: Int32? { record.withLock { $0?.process.pid } }
    public var port: Int? { record.withLock { $0?.port } }
    public var isRunning: Bool { record.withLock { $0 }?.process.isAlive ?? false }
    public var logPath: String { options.directory + "/postgresql.log" }

    /// `postgresql://user:password@127.0.0.1:port/database` of the main database, or of another one; the user is a superuser.
    /// nil unless the server was started.
    public func url(database: String? = nil) -> String? {
        record.withLock { $0 }.map {
            "postgresql://\($0.user):\($0.password)@127.0.0.1:\($0.port)/\(database ?? $0.databaseName)"
        }
    }

    /// Makes an empty database beside the main one; takes some 50 ms.
    /// - Parameter name: letters, digits and `_`, at most 63 bytes.
    /// - Returns: its URL.
    public func createDatabase(_ name: String) async throws -> String {
        let allowed = name.utf8.allSatisfy { ("a"..."z").contains(Character(.init($0))) || (48...57).contains($0) || $0 == 0x5F }
        guard allowed, (1...63).contains(name.utf8.count) else { throw EmbeddedError("\(name) is no name for a database.") }
        // template0 has no sessions that could hinder the copy.
        _ = try await query("CREATE DATABASE \"\(name)\" TEMPLATE template0", database: "postgres")
        guard let url = url(database: name) else { throw EmbeddedError("PostgreSQL was stopped meanwhile.") }
        return url
    }

    /// Runs one statement with psql and returns what it prints, unaligned and without headings.
    public func query(_ sql: String, database: String? = nil) async throws -> String {
        guard let record = record.withLock({ $0 }) else { throw EmbeddedError("PostgreSQL was not started.") }
        // The password goes through the environment: arguments can be read by every user of the machine.
        let environment = [
            "PGHOST": "127.0.0.1", "PGPORT": "\(record.port)", "PGUSER": record.user, "PGPASSWORD": record.password,
            "PGDATABASE": database ?? record.databaseName, "PGCONNECT_TIMEOUT": "10", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin",
        ]
        let psql = Command(
            program: record.programs + "/psql", arguments: ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql],
            environment: environment, folder: "/")
        return try await psql.run(deadlineSeconds: 60)
    }

    /// Stops the server and waits for its end; a throw-away one at once, another one after a checkpoint. The folder stays.
    /// - Throws: ``EmbeddedError`` if the process does not even end by SIGKILL.
    public func stop() async throws {
        try await shielded { [self] in
            if let record = record.withLock({ $0 }) {
                let isHasty = options.lifetime == .throwAway
                guard await record.process.end(isHasty ? SIGQUIT : SIGINT, graceSeconds: isHasty ? 8 : 30) else {
                    throw EmbeddedError("PostgreSQL (\(record.process.pid)) does not end.", logPath: logPath)
                }
            }
            record.withLock { $0 = nil }
            RunningRecord.remove(in: options.directory)
        }
    }
}
