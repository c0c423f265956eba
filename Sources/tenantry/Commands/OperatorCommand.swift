internal import ArgumentParser
internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres

struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator", abstract: "Credentials of the platform's own people; needs the database.",
        subcommands: [Issue.self, Revoke.self, List.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an operator credential and prints it, this once: it is stored as a hash.")

        @OptionGroup var server: ServerOptions
        @Option(help: "What it is for.")
        var name = "operator"

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry operator"))
            print(try OperatorCredential.issue(name: name, on: &database))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraws an operator credential; it stops working within 30 seconds.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The credential's key: what stands before the dot.")
        var key: String

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry operator"))
            var parameters = Parameters()
            parameters.append(key)
            let rows = try database.query(OperatorCredential.SQL.revoke, parameters)
            guard rows.count == 1 else { throw Failure("there is no valid operator credential \(key)") }
            print("revoked \(key)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists operator credentials, without their secrets.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry operator"))
            let rows = try database.query(OperatorCredential.SQL.list)
            var table = Table(["key", "name", "created_at", "revoked_at"])
            for row in 0..<rows.count {
                table.append([
                    .text(rows.text(row, 0)), .text(rows.text(row, 1)), .text(rows.timestamp(row, 2).rfc3339),
                    .text(rows.optionalTimestamp(row, 3)?.rfc3339),
                ])
            }
            table.print(output.format)
        }
    }
}

enum OperatorCredential {
    /// - Returns: `<key>.<secret>`
    static func issue(name: String, on database: inout Connection) throws(PostgresError) -> String {
        let bearer = Bearer.make(prefix: "op")
        var parameters = Parameters()
        parameters.append(bearer.key)
        parameters.append(name)
        parameters.append(bytes: bearer.secretHash)
        _ = try database.query(SQL.issue, parameters)
        return bearer.token
    }

    enum SQL {
        static let issue: Statement =
            "insert into tenantry.credentials (key, role, name, secret_hash) values ($1, 'operator', $2, $3)"
        static let revoke: Statement = """
            update tenantry.credentials set revoked_at = now() where key = $1 and role = 'operator' and revoked_at is null returning key
            """
        static let list: Statement = """
            select key, name, created_at, revoked_at from tenantry.credentials where role = 'operator' order by created_at
            """
    }
}
