internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Settings and documents that tenants are given copies of.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists templates with what they hold.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only this account's.")
        var account: String?

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry template"))
            var parameters = Parameters()
            parameters.append(account)
            let rows = try database.query(
                """
                select t.account, t.name, (select count(*) from jsonb_object_keys(t.settings)), count(d.external_id),
                       coalesce(sum(d.chunk_count), 0)::int8, coalesce(sum(d.content_bytes), 0)::int8, t.updated_at
                from tenantry.templates t
                left join tenantry.template_documents d on d.account = t.account and d.template = t.name
                where $1::text is null or t.account = $1
                group by t.account, t.name order by t.account, t.name
                """, parameters)
            var table = Table(["account", "template", "settings", "documents", "chunks", "bytes", "updated_at"])
            for row in 0..<rows.count {
                table.append(
                    [.text(rows.text(row, 0)), .text(rows.text(row, 1))] + (2..<6).map { .int(rows.int(row, $0)) }
                        + [.text(rows.timestamp(row, 6).rfc3339)])
            }
            table.print(output.format)
        }
    }
}
