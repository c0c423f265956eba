internal import FoundationEssentials
internal import Glibc
internal import Synchronization

extension DatabaseCluster {
    /// Makes the cluster the first time, starts the server and waits until it takes connections; about 0.7 s, then 0.2 s.
    /// - Returns: the URL of the main database.
    /// - Throws: ``EmbeddedError``; nothing is left running then.
    @discardableResult
    public func start() async throws -> String {
        if isRunning || Self.attach(directory: options.directory) != nil {
            throw EmbeddedError("PostgreSQL already runs in \(options.directory).")
        }
        try ServerFile.makeFolder(options.directory, mode: 0o711)
        let account = try ServerAccount(programs: options.programs)
        let watchdog = try readyWatchdog()
        let (data, programs) = try await ensureData(account, watchdog)
        var tries = 3
        while true {
            do {
                try await launch(account, data: data, programs: programs, watchdog: watchdog)
                try await ensureMainDatabase()
                return url()!
            } catch {
                try await stop()
                tries -= 1
                guard tries > 0, options.port == 0, let error = error as? EmbeddedError, error.isPortTaken else { throw error }
            }
        }
    }

    private func readyWatchdog() throws -> Watchdog? {
        guard options.lifetime != .detached else { return nil }
        return try watchdog.withLock { watchdog in
            if let watchdog { return watchdog }
            let new = try Watchdog(programs: options.programs)
            if options.lifetime == .throwAway { new.guardFolder(options.directory) }
            watchdog = new
            return new
        }
    }

    /// The data folder, made by initdb if it isn't there, and the binaries of its version.
    private func ensureData(_ account: ServerAccount, _ watchdog: Watchdog?) async throws -> (data: String, programs: String) {
        let data = options.directory + "/data"
        let passwordPath = options.directory + "/password"
        if let version = ServerFile.read(data + "/PG_VERSION") {
            guard ServerFile.read(passwordPath) != nil else {
                throw EmbeddedError("\(passwordPath) is gone, and without it nobody gets at the data in \(data).")
            }
            let programs = try options.programs.postgresFolder(version: version.filter { !$0.isWhitespace })
            return (resolved(data), programs)
        }
        let programs = try options.programs.postgresFolder(version: nil)
        let password = try ServerFile.kept(passwordPath) { ServerFile.randomWord(length: 32) }
        // Left by a start that was interrupted; as a rule there is none.
        try? FileManager.default.removeItem(atPath: data + ".new")
        unlink(data)  // A link that leads nowhere.

        // The last name is changed when the data is whole, so that an interrupted initdb is simply begun again.
        let isReachable = account.canReach(options.directory)
        let home = isReachable ? data + ".new" : "/var/lib/tenantry/postgresql-" + ServerFile.randomWord(length: 12)
        if !isReachable {
            try ServerFile.makeFolder("/var/lib/tenantry", mode: 0o711)
            if options.lifetime == .throwAway { watchdog?.guardFolder(home) }
        }
        try ServerFile.makeFolder(home)
        try account.own(home)
        do {
            try await initialize(home, account, programs: programs, password: password)
        } catch {
            // What went wrong matters more than what cannot be tidied up after it.
            try? await ServerFile.removeFolder(home)
            throw error
        }
        guard (isReachable ? rename(home, data) : symlink(home, data)) == 0 else {
            throw ServerFile.failure("Cannot make \(data)")
        }
        return (resolved(data), programs)
    }

    private func initialize(_ home: String, _ account: ServerAccount, programs: String, password: String) async throws {
        let passwordFile = home + ".password"
        try ServerFile.write(password + "\n", to: passwordFile)
        try account.own(passwordFile)
        defer { unlink(passwordFile) }
        let arguments = [
            "--pgdata=\(home)", "--username=\(options.user)", "--pwfile=\(passwordFile)", "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-instructions",
        ]
        let hasty = options.isDurable ? [] : ["--no-sync"]
        _ = try await account.command(programs + "/initdb", arguments + hasty, folder: home).run(deadlineSeconds: 120)
    }

    private func launch(_ account: ServerAccount, data: String, programs: String, watchdog: Watchdog?) async throws {
        let port = try options.port == 0 ? Loopback.freePorts(1)[0] : options.port
        try ServerFile.write(configuration(port: port), to: data + "/postgresql.conf")
        try account.own(data + "/postgresql.conf")
        removeStaleLock(data)
        unlink(logPath + ".old")
        rename(logPath, logPath + ".old")
        var postgres = account.command(programs + "/postgres", ["-D", data], folder: data)
        postgres.output = .appending(path: logPath)
        let child = try postgres.start()
        guard let process = child.identity else { throw EmbeddedError("PostgreSQL ended at once.", logPath: logPath) }
        watchdog?.guardProcess(process, signal: options.lifetime == .throwAway ? "QUIT" : "INT")
        let password = ServerFile.read(options.directory + "/password") ?? ""
        let record = Record(
            process: process, port: port, user: options.user, databaseName: options.databaseName, password: password,
            programs: programs)
        self.record.withLock { $0 = record }
        try RunningRecord.write(record, in: options.directory)
        try await awaitReady(child, port: port, programs: programs)
    }

    private func awaitReady(_ child: Child, port: Int, programs: String) async throws {
        let probe = Command(
            program: programs + "/pg_isready", arguments: ["-q", "-h", "127.0.0.1", "-p", "\(port)"], folder: "/")
        let deadline = ContinuousClock.now + .seconds(options.startDeadlineSeconds)
        // It fails until the server is ready, which is what is asked.
        while (try? await probe.run(deadlineSeconds: 5)) == nil {
            try Task.checkCancellation()
            if let status = child.exitStatus { throw EmbeddedError("PostgreSQL ended with status \(status).", logPath: logPath) }
            if ContinuousClock.now >= deadline {
                throw EmbeddedError("PostgreSQL was not ready within \(options.startDeadlineSeconds) s.", logPath: logPath)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        // The answer may have been another server's, on a port that was taken meanwhile.
        if let status = child.exitStatus { throw EmbeddedError("PostgreSQL ended with status \(status).", logPath: logPath) }
    }

    private func ensureMainDatabase() async throws {
        let name = options.databaseName
        let found = try await query("SELECT 1 FROM pg_database WHERE datname = '\(name)'", database: "postgres")
        if found.isEmpty { _ = try await createDatabase(name) }
    }

    /// After a reboot the number in `postmaster.pid` may be another program's, and PostgreSQL would not start over it.
    private func removeStaleLock(_ data: String) {
        let lock = data + "/postmaster.pid"
        guard let pid = ServerFile.read(lock)?.split(separator: "\n").first.flatMap({ Int32($0) }) else { return }
        let commandLine = ServerFile.read("/proc/\(pid)/cmdline") ?? ""
        if !commandLine.contains(data) { unlink(lock) }
    }

    private func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private func configuration(port: Int) -> String {
        """
        # Written anew at each start.
        listen_addresses = '127.0.0.1'
        port = \(port)
        unix_socket_directories = ''
        password_encryption = 'scram-sha-256'
        max_connections = \(options.maxConnections)
        shared_buffers = \(options.sharedBuffersMegabytes)MB
        max_locks_per_transaction = \(options.maxLocksPerTransaction)
        fsync = \(options.isDurable ? "on" : "off")
        synchronous_commit = \(options.isDurable ? "on" : "off")
        full_page_writes = \(options.isDurable ? "on" : "off")
        timezone = 'UTC'
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] %d '

        """
    }
}
