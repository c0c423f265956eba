internal import ArgumentParser
internal import Contract
internal import Glibc
internal import Jobs
internal import People
internal import Postgres

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "The people who administer accounts and tenants; needs the database.",
        subcommands: [List.self, SignInCommand.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists administrators; one without a tenant is the whole account's.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only of this account and its tenants.")
        var account: String?

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry admin"))
            var parameters = Parameters()
            parameters.append(account)
            let rows = try database.query(
                """
                select email, display_name, role, account, tenant, password_hash is not null, created_at from tenantry.administrators
                where $1::text is null or account = $1 order by account, tenant nulls first, email
                """, parameters)
            var table = Table(["email", "display_name", "role", "account", "tenant", "has_password", "created_at"])
            for row in 0..<rows.count {
                table.append(
                    (0..<5).map { .text(rows.optionalText(row, $0)) } + [
                        .bool(rows.bool(row, 5)), .text(rows.timestamp(row, 6).rfc3339),
                    ])
            }
            table.print(output.format)
        }
    }

    struct SignInCommand: AsyncParsableCommand {
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

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry admin"))
            let password = try PasswordInput.read()
            do {
                print(try SignIn.run(email: email, password: password, account: account, tenant: tenant, on: &database))
            } catch let refusal as SignIn.Refusal {
                switch refusal {
                case .wrong: throw Failure("the address or the password is wrong")
                case .ambiguous: throw Failure("the address administers several: name one with --account or --tenant")
                }
            }
        }
    }
}

/// A password from standard input: its first line, typed without echo where a terminal is.
enum PasswordInput {
    private static let mostBytes = 4_096

    static func read() throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try line() }
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw Failure("the terminal cannot be silenced: \(systemError())") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        writeError("Password: ")
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
            throw Failure("the terminal cannot be silenced: \(systemError())")
        }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            writeError("\n")
        }
        return try line()
    }

    private static func line() throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        // One at a time: what comes after the line is somebody else's.
        while bytes.count < mostBytes, Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw Failure("no password came on standard input") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure("the password is not UTF-8") }
        return text
    }
}
