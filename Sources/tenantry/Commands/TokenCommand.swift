internal import ArgumentParser
internal import Jobs
internal import People
internal import Postgres

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Shows tokens, and withdraws them without the broker; needs the database.",
        subcommands: [List.self, Revoke.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists an account's tokens by their keys, the newest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Argument(help: "The account's slug.")
        var account: String
        @Option(help: "Only those that are limited to this tenant.")
        var tenant: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry token"))
            let found = try page.rows(of: TokenSummary.self, \.position) {
                try TokenSummary.page(account: account, tenant: tenant, after: $0, limit: $1, on: &database)
            }
            Table(TokenSummary.representation, without: ["prefix"], found).print(output.format)
        }
    }

    struct Revoke: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws a token and all that it issued, from the next batch of each lane on.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The token's key: what stands before the dot.")
        var key: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry token"))
            let withdrawn = try TokenRevocation.run(key: key, by: commandActor(), on: &database)
            guard !withdrawn.isEmpty else { throw Failure("there is no valid token \(key)") }
            for key in withdrawn { print("revoked \(key)") }
        }
    }
}
