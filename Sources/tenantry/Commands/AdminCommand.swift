internal import ArgumentParser
internal import Contract
internal import Glibc
internal import Jobs
internal import People
internal import Postgres

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "The people who administer accounts and tenants; needs the database.",
        subcommands: [List.self, SignInCommand.self, Sessions.self, EndSession.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists administrators; one without a tenant is the whole account's.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only of this account and its tenants.")
        var account: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry admin"))
            var table = Table(["email", "display_name", "role", "account", "tenant", "has_password", "created_at"])
            for person in try AdministratorSummary.list(account: account, on: &database) {
                table.append([
                    .string(person.email), .string(person.displayName), .string(person.role), .string(person.account),
                    .text(person.tenant), .bool(person.hasPassword), .string(person.createdAt.rfc3339),
                ])
            }
            table.print(output.format)
        }
    }

    struct Sessions: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the sessions of an account's people that have not ended, the newest first.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Argument(help: "The account's slug.")
        var account: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry admin"))
            let whole = Principal(key: "", role: .account, account: account, tenant: nil, scopes: [])
            let found = try page.rows(of: SessionRecord.self, \.position) {
                try SessionRecord.page(of: whole, after: $0, limit: $1, on: &database)
            }
            Table(SessionRecord.representation, found).print(output.format)
        }
    }

    struct EndSession: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Ends a session, from the next request on.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The session's key.")
        var key: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry admin"))
            guard try SessionRecord.end(key, by: commandActor(), on: &database) else {
                throw Failure("there is no session \(key)")
            }
            print("session \(key) has ended")
        }
    }

    struct SignInCommand: ServerCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-in",
            abstract: "Takes an administrator's password from standard input and prints a credential that is good for 12 hours.")

        @OptionGroup var server: ServerOptions
        @Option(help: "The administrator's address.")
        var email: String
        @Option(help: "The account, where the address administers several.")
        var account: String?
        @Option(help: "The tenant, where the address administers several.")
        var tenant: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry admin"))
            let password = try PasswordInput.read()
            do {
                print(try SignIn.run(email: email, password: password, account: account, tenant: tenant, on: &database).token)
            } catch let refusal as SignIn.Refusal {
                switch refusal {
                case .wrong: throw Failure("the address or the password is wrong")
                case .ambiguous: throw Failure("the address administers several: name one with --account or --tenant")
                case .throttled(let seconds):
                    throw Failure("there were too many wrong passwords: try again in \(seconds) seconds")
                }
            }
        }
    }
}
