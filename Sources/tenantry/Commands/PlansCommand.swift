internal import ArgumentParser
internal import Contract
internal import FoundationEssentials
internal import Metering
internal import Postgres
internal import Yams

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

/// `plans.yaml`, checked: every error names the file and the key.
enum PlanFile {
    private struct File: Decodable {
        var thresholds: [Int]?
        var plans: [String: Entry]
    }

    private struct Entry: Decodable {
        var displayName: String?
        var thresholds: [Int]?
        var limits: [String: Limit]?

        private enum CodingKeys: String, CodingKey {
            case thresholds, limits
            case displayName = "display_name"
        }
    }

    private struct Limit: Decodable {
        var limit: Int64?
        var mode: String
    }

    static func read(_ path: String) throws -> [Plan] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Failure("\(path) cannot be read: \(error)")
        }
        let file: File
        do {
            file = try YAMLDecoder().decode(File.self, from: text)
        } catch {
            throw Failure("\(path): \(error)")
        }
        return try file.plans.sorted { $0.key < $1.key }.map { name, entry in
            let thresholds = entry.thresholds ?? file.thresholds ?? [50, 75, 80, 90, 100]
            guard !thresholds.isEmpty, thresholds == Set(thresholds).sorted(), thresholds.allSatisfy({ (1...100).contains($0) })
            else {
                throw Failure("\(path): plans.\(name).thresholds: must be percentages from 1 to 100, ascending")
            }
            var limits: [Metric: Plan.Limit] = [:]
            for (key, limit) in entry.limits ?? [:] {
                guard let metric = Metric(rawValue: key) else {
                    let known = Metric.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Failure("\(path): plans.\(name).limits.\(key): there is no such metric; there are \(known)")
                }
                guard let mode = AlertEvent.Mode(rawValue: limit.mode) else {
                    throw Failure("\(path): plans.\(name).limits.\(key).mode: must be soft or hard")
                }
                guard limit.limit.map({ $0 >= 0 }) ?? true else {
                    throw Failure("\(path): plans.\(name).limits.\(key).limit: must be 0 or more, or null for unlimited")
                }
                limits[metric] = Plan.Limit(value: limit.limit, mode: mode)
            }
            return Plan(name: name, displayName: entry.displayName ?? name, thresholds: thresholds, limits: limits)
        }
    }
}
