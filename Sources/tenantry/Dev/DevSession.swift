internal import ArgumentParser
internal import Embedded
internal import Foundation
internal import Glibc
internal import Metering
internal import People
internal import Postgres
internal import Schema

/// The life of `tenantry dev`: servers, schema, plans, credential, and a worker that is started again if it dies.
struct DevSession {
    let folder: DevFolder
    let amqpPort: Int
    let databasePort: Int
    let httpPort: Int
    let apiPort: Int
    let config: String?

    func run() async throws {
        try folder.claim()
        defer { folder.forgetProcess() }
        let stop = StopSignals()
        var options = EmbeddedServers.Options()
        options.brokerPort = amqpPort
        options.databasePort = databasePort
        // A mistake in a file is told before minutes are spent on servers.
        let plans = try await readPlans()
        printLine("starting RabbitMQ and PostgreSQL …")
        let servers = try await EmbeddedServers.start(in: folder.servers, options)
        do {
            let variables = try await prepare(servers, plans)
            try await supervise(variables, until: stop)
        } catch {
            try await servers.stop()
            throw error
        }
        try await servers.stop()
        printLine("stopped; the data stays in \(folder.path)")
    }

    private func settings(_ more: [String] = []) async throws -> Settings {
        try await Settings(try ServerOptions.parse((config.map { ["--config", $0] } ?? []) + more))
    }

    /// Away from the project there need not be a file: then it is the standard plans.
    private func readPlans() async throws -> [Plan] {
        let settings = try await settings()
        if !settings.namesPlansFile, access(settings.plansFile, F_OK) != 0 { return try PlanFile.standardPlans() }
        return try PlanFile.read(settings.plansFile)
    }

    /// Schema, plans, operator credential and the variables that reach all of it.
    private func prepare(_ servers: EmbeddedServers, _ plans: [Plan]) async throws -> [(name: String, value: String)] {
        try prepare(try await settings(["--amqp-url", servers.brokerURL, "--database-url", servers.databaseURL]), servers, plans)
    }

    private func prepare(_ settings: Settings, _ servers: EmbeddedServers, _ plans: [Plan]) throws -> [(
        name: String, value: String
    )] {
        let owner = try settings.database()
        let urls = try DatabaseRole.allCases.map { ($0, try url(of: $0, owner)) }
        let roles = try urls.map { role, url in
            let (user, password) = try ConnectionOptions(url: url).credentials()
            return RoleRequest(role, name: user, .made(password: password))
        }
        _ = try Migrator(owner).run(roles: roles)
        var database = try Connection(owner)
        _ = try Plan.apply(plans, on: &database)
        let configured = httpPort > 0 ? httpPort : try settings.httpPort()
        let variables =
            [("TENANTRY_AMQP_URL", servers.brokerURL), ("TENANTRY_DATABASE_URL", servers.databaseURL)]
            + urls.map { (Self.variable(of: $0.0), $0.1) } + [
                ("TENANTRY_OPERATOR_TOKEN", try operatorToken(on: &database)),
                ("TENANTRY_API_URL", "http://127.0.0.1:\(try apiPort > 0 ? apiPort : Loopback.freePorts(1)[0])"),
                // Whoever tries webhooks here has the receiver here, too.
                ("TENANTRY_WEBHOOKS_ALLOW_LOOPBACK", "true"),
                ("TENANTRY_HTTP_PORT", "\(configured > 0 ? configured : try Loopback.freePorts(1)[0])"),
            ]
        try folder.writeEnvironment(variables)
        return variables
    }

    private static func variable(of role: DatabaseRole) -> String { "TENANTRY_\(role.rawValue.uppercased())_DATABASE_URL" }

    /// Where a role is reached now, with the password of the last session if there was one.
    private func url(of role: DatabaseRole, _ owner: ConnectionOptions) throws -> String {
        let earlier = try folder.variable(Self.variable(of: role)).flatMap {
            try ConnectionOptions(url: $0).credentials().password
        }
        return try owner.url(as: "tenantry_\(role.rawValue)", password: earlier ?? RoleRequest.randomPassword())
    }

    /// The credential of the last session, as long as the database knows it.
    private func operatorToken(on database: inout Connection) throws -> String {
        if let token = folder.variable("TENANTRY_OPERATOR_TOKEN"), let key = token.split(separator: ".").first,
            try OperatorCredential.isValid(String(key), on: &database)
        {
            return token
        }
        return try OperatorCredential.issue(name: "tenantry dev", by: commandActor(), on: &database)
    }

    /// Both processes, each started again when it ends, until the session is to stop.
    private func supervise(_ variables: [(name: String, value: String)], until stop: StopSignals) async throws {
        let port = variables.first { $0.name == "TENANTRY_API_URL" }?.value.split(separator: ":").last ?? "0"
        let healthPort = "\(try Loopback.freePorts(1)[0])"
        var api = try ChildProcess(["api", "--port", "\(port)", "--http-port", healthPort], variables, config: config)
        var worker: ChildProcess
        do {
            worker = try ChildProcess(["worker"], variables, config: config)
        } catch {
            await api.stop()
            throw error
        }
        do {
            _ = try await HealthProbe(port: healthPort).waitUntilReady(whileTrue: { api.isRunning && !stop.isRaised })
            try await announce(variables, worker: worker, stop: stop)
            while !stop.isRaised {
                worker = try await revived(worker, "worker")
                api = try await revived(api, "API")
                try await Task.sleep(for: .milliseconds(100))
            }
        } catch {
            await api.stop()
            await worker.stop()
            throw error
        }
        printLine("draining the worker …")
        await api.stop()
        await worker.stop()
    }

    private func revived(_ child: ChildProcess, _ name: String) async throws -> ChildProcess {
        guard !child.isRunning else { return child }
        printLine("the \(name) ended (\(child.ending)); starting it again")
        try await Task.sleep(for: .seconds(1))
        return try child.again()
    }

    private func announce(_ variables: [(name: String, value: String)], worker: ChildProcess, stop: StopSignals) async throws {
        let port = variables.last!.value
        guard try await HealthProbe(port: port).waitUntilReady(whileTrue: { worker.isRunning && !stop.isRaised }) || stop.isRaised
        else {
            throw Failure("the worker did not get ready: \(worker.ending)")
        }
        try folder.noteReady()
        let origin = variables.first { $0.name == "TENANTRY_API_URL" }?.value ?? ""
        printLine(
            "ready. Variables: \(folder.environmentFile) (. .tenantry/env); health and metrics: http://127.0.0.1:\(port)/metrics; "
                + "console: \(origin); HTTP API: \(origin)/v1")
    }
}
