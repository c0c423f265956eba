internal import AMQP
internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Queues, workers, rates and lag.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try run(with: try await Settings(server))
    }

    private func run(with settings: Settings) throws {
        let queues = try queues(settings)
        var database = try Connection(try settings.database(name: "tenantry status"))
        let workers = try workers(&database)
        let lag = try database.query(
            "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from tenantry.outbox")
        switch output.format {
        case .json:
            let document: JSONValue = [
                "queues": queues.json, "workers": workers.json,
                "outbox": ["messages": .int(lag.int(0, 0)), "lag_seconds": .double(lag.double(0, 1))],
            ]
            print(document.pretty())
        case .table:
            queues.print(.table)
            print("")
            if workers.rows.isEmpty { print("no worker is running") } else { workers.print(.table) }
            print("\noutbox: \(lag.int(0, 0)) messages wait, the oldest for \((lag.double(0, 1) * 10).rounded() / 10) s")
        }
    }

    private func queues(_ settings: Settings) throws -> Table {
        var fleet = FleetOptions(broker: try settings.broker(), database: ConnectionOptions(url: ""))
        try settings.readTopology(&fleet)
        let names =
            Family.allCases.flatMap { TopologyDeclaration.queues(of: $0, partitions: fleet.partitions[$0] ?? 1) }
            + fleet.ladder.delaysMilliseconds.map { "\(Topology.retryExchange).\($0)" } + [
                Topology.unroutableQueue, Topology.deadQueue,
            ]
        var connection = try AMQP.Connection(fleet.broker, name: "tenantry status")
        var table = Table(["queue", "ready", "consumers"])
        for name in names {
            let info = try connection.inspectQueue(name)
            table.append([
                .string(name), .number(info.map { Int64($0.messageCount) }), .number(info.map { Int64($0.consumerCount) }),
            ])
        }
        connection.close()
        return table
    }

    private func workers(_ database: inout Postgres.Connection) throws -> Table {
        let rows = try database.query(
            """
            select id, pid::int8, array_to_string(families, ','), lanes::int8, leads, jobs, rejected, retried, jobs_per_second,
                   extract(epoch from now() - seen_at)::float8
            from tenantry.workers where seen_at > now() - interval '30 seconds' order by started_at
            """)
        var table = Table([
            "worker", "pid", "families", "lanes", "leads", "succeeded", "rejected", "retried", "jobs_per_second",
            "seen_seconds_ago",
        ])
        for row in 0..<rows.count {
            table.append([
                .text(rows.text(row, 0)), .int(rows.int(row, 1)), .text(rows.text(row, 2)), .int(rows.int(row, 3)),
                .bool(rows.bool(row, 4)),
                .int(rows.int(row, 5)), .int(rows.int(row, 6)), .int(rows.int(row, 7)), .double(rows.double(row, 8)),
                .double(rows.double(row, 9)),
            ])
        }
        return table
    }
}

extension Table {
    var json: JSONValue {
        .array(rows.map { row in .object(Dictionary(uniqueKeysWithValues: zip(columns, row))) })
    }
}
