internal import ArgumentParser
internal import Contract
internal import Metering
internal import Postgres

struct PlansCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plans", abstract: "The plans that accounts are on.", subcommands: [Apply.self, List.self])

    struct Apply: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Loads the plans of a file into the database, and measures the accounts on them anew.")

        @OptionGroup var server: ServerOptions
        @Option(help: ArgumentHelp("The plans (default: setting plans.file).", valueName: "file"))
        var file: String?

        func run(with settings: Settings) throws {
            let path = file ?? settings.plansFile
            let plans = try PlanFile.read(path)
            var database = try Connection(try settings.database(name: "tenantry plans"))
            let removed = try Plan.apply(plans, on: &database)
            print(
                "\(plans.count) plans applied from \(path)"
                    + (removed.isEmpty ? "" : "; removed: \(removed.joined(separator: ", "))"))
        }
    }

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the plans in the database with their limits.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry plans"))
            var table = Table(["plan", "metric", "limit", "mode", "thresholds"])
            for plan in try Plan.list(on: &database) {
                let thresholds = JSONValue.string(plan.thresholds.map { "\($0)" }.joined(separator: " "))
                for metric in Metric.allCases {
                    guard let limit = plan.limits[metric] else { continue }
                    table.append([
                        .string(plan.name), .string(metric.rawValue), .number(limit.value), .string(limit.mode.rawValue),
                        thresholds,
                    ])
                }
                if plan.limits.isEmpty { table.append([.string(plan.name), .null, .null, .null, thresholds]) }
            }
            table.print(output.format)
        }
    }
}
