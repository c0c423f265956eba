internal import Accounts
internal import ArgumentParser
internal import Postgres

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Suspends accounts and resumes them, without the broker; needs the database.",
        subcommands: [Suspend.self, Resume.self])

    struct Suspend: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accepts no further job of an account and its tenants, from the next batch of each lane on.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The account's slug.")
        var account: String

        func run(with settings: Settings) throws {
            try AccountCommand.set(account, isSuspended: true, settings)
        }
    }

    struct Resume: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Accepts the jobs of a suspended account again.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The account's slug.")
        var account: String

        func run(with settings: Settings) throws {
            try AccountCommand.set(account, isSuspended: false, settings)
        }
    }

    private static func set(_ account: String, isSuspended: Bool, _ settings: Settings) throws {
        var database = try Connection(try settings.database(name: "tenantry account"))
        try orFailure { try AccountSuspension.set(account, isSuspended: isSuspended, by: commandActor(), on: &database) }
        print("account \(account) is \(isSuspended ? "suspended" : "active")")
    }
}
