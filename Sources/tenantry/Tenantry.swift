internal import AMQP
internal import ArgumentParser
internal import Postgres

/// The executable: the list of its commands, and how their errors are printed.
@main
struct Tenantry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenantry",
        abstract:
            "Runs thousands of chatbots for your customers: jobs over AMQP, one PostgreSQL schema per tenant, alerts at every limit.",
        discussion: """
            Settings come from options, then from the environment (TENANTRY_…), then from config/tenantry.yaml.
            Start with `tenantry dev`: it needs nothing but the system's RabbitMQ and PostgreSQL programs.
            Exit code: 0 done, 1 not done, 64 a mistake in the call, 70 a worker that could not go on.
            """,
        subcommands: [
            DevCommand.self, WorkerCommand.self, APICommand.self, EnqueueCommand.self, MigrateCommand.self, PlansCommand.self,
            TopologyCommand.self, StatusCommand.self,
            DeadCommand.self,
            AlertsCommand.self, UsageCommand.self, InvoiceCommand.self, CorpusCommand.self, TenantCommand.self,
            TemplateCommand.self, AdminCommand.self, AuditCommand.self, AccountCommand.self, TokenCommand.self,
            OperatorCommand.self, WebhookCommand.self, ConversationCommand.self, JobCommand.self,
            ContractCommand.self, LoadCommand.self,
        ])

    static func main() async {
        let servers = [WorkerCommand.configuration.commandName, APICommand.configuration.commandName]
        if servers.contains(CommandLine.arguments.dropFirst().first) { WorkerSignals.listen() }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as PostgresError {
            exit(withError: Failure(error))
        } catch let error as AMQPError {
            exit(withError: Failure(error))
        } catch {
            exit(withError: error)
        }
    }
}

/// A command that could not do what it was asked: printed as one sentence, exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// What a person can do about a database that does not answer as it should.
    init(_ error: PostgresError) {
        if error.isMissingRelation {
            description = "the database has no schema of Tenantry, or an old one: run `tenantry migrate` (\(error))"
        } else if error.isDenied {
            description =
                "the database's role may not do this: use the owner's URL, or have the owner run `tenantry migrate` (\(error))"
        } else if error.isConnectionLoss {
            description = "the database cannot be used: \(error.description.replacing("\n\t", with: " "))"
        } else {
            description = error.description
        }
    }

    init(_ error: AMQPError) {
        switch error.kind {
        case .connection, .library: description = "the broker cannot be used: \(error.message)"
        case .channel where error.replyCode == 404: description = "\(error.message): run `tenantry topology apply`"
        case .channel, .usage, .timeout, .blocked: description = error.message
        }
    }
}
