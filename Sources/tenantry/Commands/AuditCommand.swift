internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what, when, and by which job.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists administrative jobs that succeeded, latest first.",
            discussion: "With --format json there are also details: the payload, without secrets, and the result.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only of this account.")
        var account: String?
        @Option(help: "Only of this tenant.")
        var tenant: String?
        @Option(help: "Only jobs of this kind.")
        var kind: String?
        @Option(help: "The most rows.")
        var limit = Count(100)

        func validate() throws {
            if let kind, Kind.named(kind) == nil { throw ValidationError("there is no kind \"\(kind)\"") }
        }

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry audit"))
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(tenant)
            parameters.append(kind)
            parameters.append(Int64(limit.value))
            let rows = try database.query(
                """
                select at, nullif(account, ''), tenant, kind, actor, role, credential, job_id, details from tenantry.audit_log
                where ($1::text is null or account = $1) and ($2::text is null or tenant = $2) and ($3::text is null or kind = $3)
                order by id desc limit $4
                """, parameters)
            let columns = ["at", "account", "tenant", "kind", "actor", "role", "credential", "job_id"]
            var table = Table(output.format == .json ? columns + ["details"] : columns)
            for row in 0..<rows.count {
                var cells = [JSONValue.text(rows.timestamp(row, 0).rfc3339)]
                cells += (1..<columns.count).map { .text(rows.optionalText(row, $0)) }
                if output.format == .json { cells.append(try JSONValue(parsing: Array(rows.text(row, 8).utf8))) }
                table.append(cells)
            }
            table.print(output.format)
        }
    }
}
