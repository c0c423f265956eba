internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres
internal import Templates

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Settings and documents that tenants are given copies of.", subcommands: [List.self])

    struct List: ServerCommand {
        static let configuration = CommandConfiguration(abstract: "Lists templates with what they hold.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this account's.")
        var account: String?

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry template"))
            var table = Table(["account", "template", "settings", "documents", "chunks", "bytes", "updated_at"])
            for template in try TemplateSummary.list(account: account, on: &database) {
                table.append([
                    .string(template.account), .string(template.name), .int(template.settings), .int(template.documents),
                    .int(template.chunks), .int(template.bytes), .string(template.updatedAt.rfc3339),
                ])
            }
            table.print(output.format)
        }
    }
}
