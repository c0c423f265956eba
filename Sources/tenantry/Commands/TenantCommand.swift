internal import ArgumentParser
internal import Contract
internal import Postgres
internal import Tenants

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "The tenants of the platform.",
        subcommands: [
            List.self, TenantShowCommand.self, TenantCreateManyCommand.self, TenantExportCommand.self, SetPlan.self, Suspend.self,
            Resume.self,
        ])

    struct List: ServerCommand {
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

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry tenant"))
            var table = Table(["tenant", "account", "schema", "display_name", "plan", "environment", "state"])
            for tenant in try TenantSummary.list(account: account, state: state, on: &database) {
                table.append([
                    .string(tenant.slug), .string(tenant.account), .string(tenant.schema), .string(tenant.displayName),
                    .text(tenant.plan), .string(tenant.environment), .string(tenant.state.rawValue),
                ])
            }
            table.print(output.format)
        }
    }
}
