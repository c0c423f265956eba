internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Postgres

struct TenantShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows everything about one tenant: its row, limits, settings, usage, and what a purge took away.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The tenant's slug.")
    var tenant: String

    func run() async throws {
        try run(with: try await Settings(server))
    }

    private func run(with settings: Settings) throws {
        var database = try Connection(try settings.database(name: "tenantry tenant"))
        var parameters = Parameters()
        parameters.append(tenant)
        let rows = try database.query(Self.row, parameters)
        guard rows.count == 1 else { throw Failure("there is no tenant \(tenant)") }
        var fields = try rows.columnNames.enumerated().dropFirst().map { index, name in
            (name: name, value: try JSONValue(parsing: Array(rows.text(0, index).utf8)))
        }
        let moments = try database.query(Self.moments, parameters)
        for (index, name) in moments.columnNames.enumerated() {
            fields.append((name, .text(moments.optionalTimestamp(0, index)?.rfc3339)))
        }
        let isPurged = fields.contains { $0 == ("state", .string(TenantState.purged.rawValue)) }
        if !isPurged {
            let settings = try database.query(Self.settings(try Identifier(rows.text(0, 0))))
            fields.append(("settings", try JSONValue(parsing: Array(settings.text(0, 0).utf8))))
        }
        show(fields, usage: try usage(parameters, on: &database))
    }

    private func usage(_ parameters: Parameters, on database: inout Connection) throws -> [[JSONValue]] {
        let rows = try database.query(Self.usage, parameters)
        return (0..<rows.count).map { row in
            [
                .string(rows.text(row, 0)), .int(rows.int(row, 1)), .number(rows.optionalInt(row, 2)),
                .string(rows.timestamp(row, 3).rfc3339), .string(rows.timestamp(row, 4).rfc3339),
            ]
        }
    }

    private func show(_ fields: [(name: String, value: JSONValue)], usage: [[JSONValue]]) {
        let columns = ["metric", "value", "limit", "period_start", "period_end"]
        switch output.format {
        case .json:
            var object = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
            object["usage"] = .array(usage.map { .object(Dictionary(uniqueKeysWithValues: zip(columns, $0))) })
            print(JSONValue.object(object).pretty())
        case .table:
            var table = Table(["field", "value"])
            for (name, value) in fields {
                // A column of numbers stands at the right; these are not such a column.
                if case .int(let number) = value {
                    table.append([.string(name), .string("\(number)")])
                } else {
                    table.append([.string(name), value])
                }
            }
            table.print(.table)
            guard !usage.isEmpty else { return }
            print("")
            var counters = Table(columns)
            for row in usage { counters.append(row) }
            counters.print(.table)
        }
    }

    /// The schema's name, then a column of JSON for each thing to show.
    private static let row: Statement = """
        select t.schema_name,
               to_json(t.slug)::text as tenant, to_json(t.account)::text as account, to_json(t.schema_name)::text as schema,
               to_json(t.display_name)::text as display_name, to_json(t.state)::text as state,
               to_json(coalesce(t.plan, a.plan))::text as plan, to_json(t.plan is null)::text as plan_is_inherited,
               to_json(t.environment)::text as environment, to_json(t.billing_mode)::text as billing_mode,
               coalesce(to_json(t.stripe_account)::text, 'null') as stripe_account,
               coalesce(to_json(t.created_by)::text, 'null') as created_by,
               (select count(*) from tenantry.administrators where tenant = t.slug)::text as administrators,
               (select count(*) from tenantry.credentials
                where tenant = t.slug and role = 'token' and revoked_at is null and expires_at > now())::text as tokens,
               coalesce((select jsonb_object_agg(metric, limit_value)::text from tenantry.custom_limits
                         where account = t.account and tenant = t.slug), '{}') as limits,
               coalesce((select row_counts::text from tenantry.purges where tenant = t.slug), 'null') as purged_rows
        from tenantry.tenants t join tenantry.accounts a on a.slug = t.account
        where t.slug = $1
        """
    private static let moments: Statement = """
        select created_at, updated_at, last_active_at, suspended_at, archived_at, purge_at, purged_at from tenantry.tenants where slug = $1
        """
    private static let usage: Statement = """
        select u.metric, u.value, u.limit_value, u.period_start, u.period_end
        from tenantry.current_usage u join tenantry.metrics m on m.name = u.metric
        where u.tenant = $1 order by m.position
        """

    private static func settings(_ schema: Identifier) -> Statement {
        Statement("select coalesce(jsonb_object_agg(key, value), '{}')::text from \(schema.quoted).settings")
    }
}
