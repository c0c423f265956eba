internal import Accounts
internal import ArgumentParser
internal import Jobs
internal import Postgres

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Shows accounts, and acts on them without the broker; needs the database.",
        subcommands: [List.self, Suspend.self, Resume.self, GrantStripe.self, WithdrawStripe.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists accounts, by their slugs.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry account"))
            let found = try page.rows(of: AccountSummary.self, \.position) {
                try AccountSummary.page(after: $0, limit: $1, on: &database)
            }
            Table(AccountSummary.representation, found).print(output.format)
        }
    }

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

    struct GrantStripe: ServerCommand {
        static let configuration = CommandConfiguration(
            commandName: "grant-stripe",
            abstract: "Lets invoices of an account's tenants go through a Stripe account.",
            discussion:
                "Make sure through Stripe Connect that it is theirs: the platform's key may act for every connected account.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The account's slug.")
        var account: String
        @Argument(help: "The Stripe account, acct_….")
        var stripeAccount: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry account"))
            try orFailure { try StripeGrant.grant(stripeAccount, to: account, by: commandActor(), on: &database) }
            print("\(stripeAccount) is granted to account \(account)")
        }
    }

    struct WithdrawStripe: ServerCommand {
        static let configuration = CommandConfiguration(
            commandName: "withdraw-stripe",
            abstract: "Takes a Stripe account back: what is invoiced from now on is not sent through it.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The account's slug.")
        var account: String
        @Argument(help: "The Stripe account, acct_….")
        var stripeAccount: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry account"))
            try orFailure { try StripeGrant.withdraw(stripeAccount, from: account, by: commandActor(), on: &database) }
            print("\(stripeAccount) is no longer granted to account \(account)")
        }
    }

    private static func set(_ account: String, isSuspended: Bool, _ settings: Settings) throws {
        var database = try Connection(try settings.database(name: "tenantry account"))
        try orFailure { try AccountSuspension.set(account, isSuspended: isSuspended, by: commandActor(), on: &database) }
        print("account \(account) is \(isSuspended ? "suspended" : "active")")
    }
}
