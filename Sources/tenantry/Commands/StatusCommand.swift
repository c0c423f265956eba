internal import AMQP
internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres

struct StatusCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Queues, workers, rates and lag.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run(with settings: Settings) throws {
        let queues = try queues(settings)
        var database = try Connection(try settings.readersDatabase(name: "tenantry status"))
        let workers = try workers(&database)
        let outbox = try OutboxBacklog.read(on: &database)
        switch output.format {
        case .json:
            let document: JSONValue = [
                "queues": queues.json, "workers": workers.json,
                "outbox": ["messages": .int(outbox.messages), "lag_seconds": .double(outbox.lagSeconds)],
            ]
            print(document.pretty())
        case .table:
            queues.print(.table)
            print("")
            if workers.rows.isEmpty { print("no worker is running") } else { workers.print(.table) }
            print("\noutbox: \(outbox.messages) messages wait, the oldest for \((outbox.lagSeconds * 10).rounded() / 10) s")
        }
    }

    private func queues(_ settings: Settings) throws -> Table {
        let fleet = try settings.topology()
        var connection = try AMQP.Connection(fleet.broker, name: "tenantry status")
        var table = Table(["queue", "ready", "consumers"])
        for name in TopologyDeclaration(fleet).queues {
            let info = try connection.inspectQueue(name)
            table.append([
                .string(name), .number(info.map { Int64($0.messageCount) }), .number(info.map { Int64($0.consumerCount) }),
            ])
        }
        connection.close()
        return table
    }

    private func workers(_ database: inout Postgres.Connection) throws -> Table {
        var table = Table([
            "worker", "pid", "families", "lanes", "leads", "succeeded", "rejected", "retried", "deferred", "jobs_per_second",
            "in_hand", "oldest_seconds", "seen_seconds_ago", "problems",
        ])
        for worker in try WorkerStatus.list(on: &database) {
            table.append([
                .string(worker.id), .int(worker.pid), .string(worker.families.joined(separator: ",")), .int(worker.lanes),
                .bool(worker.leads), .int(worker.succeeded), .int(worker.rejected), .int(worker.retried), .int(worker.deferred),
                .double(worker.jobsPerSecond), .int(worker.inHand), .double(worker.oldestSeconds),
                .double(worker.secondsSinceHeartbeat), .string(worker.problems.joined(separator: "; ")),
            ])
        }
        return table
    }
}
