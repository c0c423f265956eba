internal import FoundationEssentials
internal import Glibc
internal import Synchronization

extension BrokerNode {
    /// Starts the node with its virtual hosts and waits until it speaks AMQP; 4 to 6 s on two cores, hardly more with 64 vhosts.
    /// - Returns: the URL of the main virtual host.
    /// - Throws: ``EmbeddedError``; nothing is left running then.
    @discardableResult
    public func start() async throws -> String {
        var tries = 3
        while true {
            let free = try Loopback.freePorts(3)
            do {
                return try await start(
                    on: Ports(amqp: options.port == 0 ? free[0] : options.port, distribution: free[1], mapper: free[2]))
            } catch let error as EmbeddedError where error.isPortTaken && options.port == 0 && tries > 1 {
                tries -= 1
            }
        }
    }

    @discardableResult
    func start(on ports: Ports) async throws -> String {
        if isRunning || Self.attach(directory: options.directory) != nil {
            throw EmbeddedError("RabbitMQ already runs in \(options.directory).")
        }
        // A mapper can outlive its node, when only the node was killed.
        if let left = RunningRecord.read(Record.self, in: options.directory) {
            _ = await left.mapper.end(SIGKILL, graceSeconds: 5)
        }
        let server = try options.programs.rabbit("rabbitmq-server")
        _ = try options.programs.tool("erl", package: "erlang-base")
        let mapper = try options.programs.tool("epmd", package: "erlang-base")
        for folder in ["", "/home", "/log", "/mnesia"] { try ServerFile.makeFolder(options.directory + folder) }
        let watchdog = try readyWatchdog()
        let (nodeName, password) = try writeFiles(ports)
        do {
            let node = try launch(server, mapper: mapper, ports, nodeName, password, watchdog)
            try await awaitReady(node, port: ports.amqp)
        } catch {
            try await stop(hastily: true)
            throw error
        }
        return url()!
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

    private func launch(
        _ server: String, mapper: String, _ ports: Ports, _ nodeName: String, _ password: String, _ watchdog: Watchdog?
    ) throws -> Child {
        let environment = environment(ports, nodeName: nodeName)
        let folder = options.directory
        let mapperChild = try Command(
            program: mapper, arguments: ["-address", "127.0.0.1", "-port", "\(ports.mapper)"], environment: environment,
            folder: folder, output: .appending(path: folder + "/log/epmd.log")
        ).start()
        guard let mapperProcess = mapperChild.identity else {
            throw EmbeddedError("epmd ended at once.", logPath: folder + "/log/epmd.log")
        }
        watchdog?.guardProcess(mapperProcess, signal: "KILL")
        let child: Child
        do {
            child = try Command(
                program: server, arguments: [], environment: environment, folder: folder,
                output: .appending(path: folder + "/log/console.log")
            ).start()
        } catch {
            mapperProcess.send(SIGKILL)
            throw error
        }
        guard let process = child.identity else {
            mapperProcess.send(SIGKILL)
            throw EmbeddedError("RabbitMQ ended at once.", logPath: folder + "/log/console.log")
        }
        watchdog?.guardProcess(process, signal: options.lifetime == .throwAway ? "KILL" : "TERM")
        let record = Record(
            process: process, mapper: mapperProcess, ports: ports, nodeName: nodeName, virtualHosts: options.virtualHosts,
            user: options.user, password: password)
        self.record.withLock { $0 = record }
        try RunningRecord.write(record, in: folder)
        return child
    }

    private func awaitReady(_ node: Child, port: Int) async throws {
        let isReady = await poll(
            seconds: options.startDeadlineSeconds, until: { node.exitStatus != nil || Loopback.answersAMQP(port: port) })
        try Task.checkCancellation()
        if let status = node.exitStatus {
            throw EmbeddedError("RabbitMQ ended with status \(status).", logPath: options.directory + "/log/console.log")
        }
        guard isReady else {
            throw EmbeddedError("RabbitMQ was not ready within \(options.startDeadlineSeconds) s.", logPath: logPath)
        }
    }
}
