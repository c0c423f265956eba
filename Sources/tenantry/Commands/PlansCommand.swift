internal import ArgumentParser
internal import Contract
internal import Metering
internal import Postgres

struct PlansCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plans", abstract: "The plans that accounts are on.", subcommands: [Apply.self, List.self])

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Loads the plans of a file into the database, and measures the accounts on them anew.")

        @OptionGroup var server: ServerOptions
        @Option(help: ArgumentHelp("The plans (default: setting plans.file).", valueName: "file"))
        var file: String?

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            let path = file ?? settings.plansFile
            let plans = try PlanFile.read(path)
            var database = try Connection(try settings.database(name: "tenantry plans"))
            let removed = try Plan.apply(plans, on: &database)
            print(
                "\(plans.count) plans applied from \(path)"
                    + (removed.isEmpty ? "" : "; removed: \(removed.joined(separator: ", "))"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the plans in the database with their limits.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry plans"))
            let rows = try database.query(
                """
                select p.name, l.metric, l.limit_value, l.mode, array_to_string(p.thresholds, ' ')
                from tenantry.plans p left join tenantry.plan_limits l on l.plan = p.name
                left join tenantry.metrics m on m.name = l.metric order by p.name, m.position
                """)
            var table = Table(["plan", "metric", "limit", "mode", "thresholds"])
            for row in 0..<rows.count {
                table.append([
                    .text(rows.text(row, 0)), .text(rows.optionalText(row, 1)), .number(rows.optionalInt(row, 2)),
                    .text(rows.optionalText(row, 3)), .text(rows.text(row, 4)),
                ])
            }
            table.print(output.format)
        }
    }
}
