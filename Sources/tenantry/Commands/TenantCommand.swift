internal import ArgumentParser
internal import Contract
internal import Postgres

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "The tenants of the platform.",
        subcommands: [List.self, TenantShow.self, TenantCreateManyCommand.self, TenantExportCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tenants with their schemas and states.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this account's.")
        var account: String?
        @Option(help: "Only those in this state: \(states).", transform: state)
        var state: TenantState?

        private static let states = TenantState.allCases.map(\.rawValue).joined(separator: ", ")

        @Sendable private static func state(_ name: String) throws -> TenantState {
            guard let state = TenantState(rawValue: name) else { throw ValidationError("there are the states \(states)") }
            return state
        }

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry tenant"))
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(state?.rawValue)
            let rows = try database.query(
                """
                select slug, account, schema_name, display_name, plan, environment, state from tenantry.tenants
                where ($1::text is null or account = $1) and ($2::text is null or state = $2) order by account, slug
                """, parameters)
            var table = Table(["tenant", "account", "schema", "display_name", "plan", "environment", "state"])
            for row in 0..<rows.count { table.append((0..<7).map { .text(rows.optionalText(row, $0)) }) }
            table.print(output.format)
        }
    }
}
