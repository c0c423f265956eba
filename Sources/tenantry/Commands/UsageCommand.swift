internal import ArgumentParser
internal import Contract
internal import Postgres

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What accounts and tenants use.", subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the present period's usage and limits; a row without a tenant is the account's pool.")

        @OptionGroup var server: ServerOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Only this account.")
        var account: String?
        @Option(help: "Only this tenant.")
        var tenant: String?

        func run() async throws {
            try run(with: try await Settings(server))
        }

        private func run(with settings: Settings) throws {
            var database = try Connection(try settings.database(name: "tenantry usage"))
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(tenant)
            let rows = try database.query(
                """
                select u.account, u.tenant, u.metric, u.value, u.limit_value, u.period_start, u.period_end
                from tenantry.current_usage u join tenantry.metrics m on m.name = u.metric
                where ($1::text is null or u.account = $1) and ($2::text is null or u.tenant = $2)
                order by u.account, u.tenant nulls first, m.position
                """, parameters)
            if rows.count == 0, account != nil || tenant != nil { throw Failure("there is no such account or tenant") }
            var table = Table(["account", "tenant", "metric", "value", "limit", "percent", "period_start", "period_end"])
            for row in 0..<rows.count {
                let (value, limit) = (rows.int(row, 3), rows.optionalInt(row, 4))
                table.append([
                    .text(rows.text(row, 0)), .text(rows.optionalText(row, 1)), .text(rows.text(row, 2)), .int(value),
                    .number(limit),
                    limit.map { $0 > 0 ? .double((Double(value) * 1_000 / Double($0)).rounded() / 10) : .null } ?? .null,
                    .text(rows.timestamp(row, 5).rfc3339), .text(rows.timestamp(row, 6).rfc3339),
                ])
            }
            table.print(output.format)
        }
    }
}
