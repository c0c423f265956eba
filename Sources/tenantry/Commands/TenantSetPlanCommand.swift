internal import ArgumentParser
internal import Postgres
internal import Tenants

extension TenantCommand {
    struct SetPlan: ServerCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-plan",
            abstract: "Gives a tenant a plan of its own, also one that its account's plan does not offer; without the broker.",
            discussion:
                "It is measured against the new plan at once, which may fire and resolve alerts. Accounts choose among tenant_plans."
        )

        @OptionGroup var server: ServerOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String
        @Argument(help: "The plan.")
        var plan: String?
        @Flag(help: "In place of a plan: it has its account's.")
        var inherit = false

        func validate() throws {
            guard (plan == nil) == inherit else { throw ValidationError("name a plan, or say --inherit") }
        }

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry tenant"))
            try orFailure { _ = try TenantPlan.set(tenant, to: plan, by: commandActor(), on: &database) }
            print("tenant \(tenant) has \(plan.map { "plan \($0)" } ?? "its account's plan")")
        }
    }
}
