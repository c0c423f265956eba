internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "What became of a job, by its id; needs the database.", subcommands: [Show.self])

    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a job's answer as JSON, without secrets, as long as it is kept.",
            discussion:
                "An id is unique in an account, or for a tenant's own credentials in the tenant. Without --account it is an operator's job."
        )

        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id.")
        var id: String
        @Option(help: "Whose job it was.")
        var account: String?
        @Option(help: "The tenant whose own credential sent it.")
        var tenant: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry job"))
            let sender = Principal(
                key: "command", role: account == nil ? .operator : .account, account: account ?? "", tenant: tenant, scopes: [])
            guard let job = try JobRecord.find(id, of: sender, on: &database) else {
                throw Failure("there is no job \(id) of that sender, or its answer is not kept any more")
            }
            print(JobRecord.representation.json(job).pretty())
        }
    }
}
