internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what, when, and by which job.", subcommands: [List.self, Refused.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what was done by administrative jobs and commands, and what of tenants was read; latest first.",
            discussion: "With --format json there are also details: the payload, without secrets, and the result.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var page: PageOptions
        @Option(help: "Only of this account.")
        var account: String?
        @Option(help: "Only of this tenant.")
        var tenant: String?
        @Option(help: "Only jobs of this kind.")
        var kind: String?

        func validate() throws {
            if let kind, Kind.named(kind) == nil, AuditedDeed(rawValue: kind) == nil {
                throw ValidationError("there is no kind \"\(kind)\"")
            }
        }

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry audit"))
            let records = try page.rows(of: AuditRecord.self, \.position) {
                try AuditRecord.page(account: account, tenant: tenant, kind: kind, after: $0, limit: $1, on: &database)
            }
            let hasDetails = output.format == .json
            let columns = ["at", "account", "tenant", "kind", "actor", "role", "credential", "job_id"]
            var table = Table(columns + (hasDetails ? ["details"] : []))
            for record in records {
                let cells: [JSONValue] = [
                    .string(record.at.rfc3339), .text(record.account), .text(record.tenant), .string(record.kind),
                    .string(record.actor), .string(record.role), .string(record.credential), .string(record.jobID),
                ]
                table.append(cells + (hasDetails ? [record.details] : []))
            }
            table.print(output.format)
        }
    }

    struct Refused: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what was refused, by minute, kind, error code and key, latest first.",
            discussion: "Sign-ins with a wrong password are of the kind admin.sign_in, under the address if it is somebody's.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only of this account.")
        var account: String?
        @Option(help: "Only jobs of this kind.")
        var kind: String?
        @Option(help: "Only with this error code.")
        var code: String?
        @Option(help: "The most rows.")
        var limit = Count(100)

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry audit"))
            var table = Table(["minute", "kind", "code", "key", "account", "jobs"])
            for record in try RefusalRecord.list(account: account, kind: kind, code: code, limit: limit.value, on: &database) {
                table.append([
                    .string(record.minute.rfc3339), .text(record.kind), .string(record.code), .text(record.key),
                    .text(record.account), .int(record.jobs),
                ])
            }
            table.print(output.format)
        }
    }
}
