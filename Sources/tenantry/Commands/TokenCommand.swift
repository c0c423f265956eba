internal import ArgumentParser
internal import People
internal import Postgres

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Withdraws tokens, without the broker; needs the database.", subcommands: [Revoke.self])

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
