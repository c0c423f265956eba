internal import ArgumentParser
internal import Embedded
internal import FoundationEssentials
internal import Glibc
internal import Postgres

struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "A whole Tenantry on this machine: private servers, one worker, the HTTP API, until interrupted.",
        discussion: """
            Starts a RabbitMQ node and a PostgreSQL cluster of its own from the system's programs, with their data under .tenantry/, brings the
            schema up to date, loads the plans, and runs one worker on all families and the HTTP API. .tenantry/env holds the variables that reach them:
                . .tenantry/env
            """, subcommands: [Start.self, Stop.self, Reset.self], defaultSubcommand: Start.self)

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Starts and stays (the default).")

        @Flag(help: "Return when everything is ready; `tenantry dev stop` ends it.")
        var detach = false
        @Option(help: "Port of RabbitMQ; 0 takes a free one.")
        var amqpPort = Port(0)
        @Option(help: "Port of PostgreSQL; 0 takes a free one.")
        var databasePort = Port(0)
        @Option(help: "Port of the worker's health and metrics; 0 takes a free one.")
        var httpPort = Port(0)
        @Option(help: "Port of the HTTP API; 0 takes a free one.")
        var apiPort = Port(0)
        @Option(help: ArgumentHelp("Settings file (default: config/tenantry.yaml, if it is there).", valueName: "file"))
        var config: String?

        func run() async throws {
            let folder = DevFolder()
            if let pid = folder.runningPID() {
                throw DevFolder.alreadyRunning(pid)
            }
            if detach { return try await DetachedStart(folder: folder, arguments: childArguments).run() }
            try await DevSession(
                folder: folder, amqpPort: amqpPort.value, databasePort: databasePort.value, httpPort: httpPort.value,
                apiPort: apiPort.value, config: config
            ).run()
        }

        private var childArguments: [String] {
            [
                "dev", "--amqp-port", "\(amqpPort.value)", "--database-port", "\(databasePort.value)", "--http-port",
                "\(httpPort.value)", "--api-port", "\(apiPort.value)",
            ] + (config.map { ["--config", $0] } ?? [])
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Drains the worker and stops the servers; data stays.")

        func run() async throws {
            let folder = DevFolder()
            guard let pid = folder.runningPID() else { return printLine("not running") }
            kill(pid, SIGTERM)
            try await folder.waitForEnd(of: pid, seconds: 90)
            printLine("stopped")
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops everything and removes all data under .tenantry/.")

        func run() async throws {
            let folder = DevFolder()
            if let pid = folder.runningPID() {
                kill(pid, SIGTERM)
                try await folder.waitForEnd(of: pid, seconds: 90)
            }
            try await EmbeddedServers.remove(directory: folder.servers)
            try folder.remove()
            printLine("removed \(folder.path)")
        }
    }
}
