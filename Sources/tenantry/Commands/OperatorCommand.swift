internal import ArgumentParser
internal import Contract
internal import Jobs
internal import People
internal import Postgres

struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Credentials of the platform's own people; needs the database.",
        subcommands: [Issue.self, Revoke.self, List.self])

    struct Issue: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an operator credential and prints it, this once: it is stored as a hash.")

        @OptionGroup var server: ServerOptions
        @Option(help: "What it is for.")
        var name = "operator"

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry operator"))
            print(try OperatorCredential.issue(name: name, by: commandActor(), on: &database))
        }
    }

    struct Revoke: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws an operator credential; it stops working within 30 seconds.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The credential's key: what stands before the dot.")
        var key: String

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry operator"))
            guard try OperatorCredential.revoke(key, by: commandActor(), on: &database) else {
                throw Failure("there is no valid operator credential \(key)")
            }
            print("revoked \(key)")
        }
    }

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists operator credentials, without their secrets.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry operator"))
            var table = Table(["key", "name", "created_at", "revoked_at"])
            for credential in try OperatorCredential.list(on: &database) {
                table.append([
                    .string(credential.key), .string(credential.name), .string(credential.createdAt.rfc3339),
                    .text(credential.revokedAt?.rfc3339),
                ])
            }
            table.print(output.format)
        }
    }
}
