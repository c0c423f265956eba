internal import ArgumentParser

/// The one executable.
@main
struct Tenantry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenantry",
        abstract:
            "Runs thousands of chatbots for your customers: jobs over AMQP, one PostgreSQL schema per tenant, alerts at every limit.",
        discussion: """
            Settings come from options, then from the environment (TENANTRY_…), then from config/tenantry.yaml.
            Start with `tenantry dev`: it needs nothing but the system's RabbitMQ and PostgreSQL programs.
            """,
        subcommands: [
            Dev.self, WorkerCommand.self, Enqueue.self, Migrate.self, PlansCommand.self, TopologyCommand.self, Status.self,
            Dead.self,
            AlertsCommand.self, UsageCommand.self, CorpusCommand.self, TenantCommand.self, OperatorCommand.self,
            ContractCommand.self, Load.self,
        ])
}

/// A command that could not do what it was asked: printed as one sentence, exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
