internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import Tenants
internal import Usage

struct TenantShowCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows everything about one tenant: its row, limits, settings, usage, and what a purge took away.")

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The tenant's slug.")
    var tenant: String

    func run(with settings: Settings) throws {
        var database = try Connection(try settings.readersDatabase(name: "tenantry tenant"))
        guard let details = try TenantDetails.find(tenant, on: &database) else { throw Failure("there is no tenant \(tenant)") }
        var fields = try fields(details)
        if let settings = try details.settings(on: &database) { fields.append(("settings", try JSONValue(settings))) }
        let totals = details.state == .purged ? [] : try UsageTotal.read(tenant: tenant, on: &database)
        show(fields, usage: totals.map(cells))
    }

    private func fields(_ tenant: TenantDetails) throws -> [(name: String, value: JSONValue)] {
        [
            ("tenant", .string(tenant.slug)), ("account", .string(tenant.account)), ("schema", .string(tenant.schema)),
            ("display_name", .string(tenant.displayName)), ("state", .string(tenant.state.rawValue)),
            ("plan", .string(tenant.plan)),
            ("plan_is_inherited", .bool(tenant.planIsInherited)), ("environment", .string(tenant.environment)),
            ("billing_mode", .string(tenant.billingMode)), ("stripe_account", .text(tenant.stripeAccount)),
            ("created_by", .text(tenant.createdBy)), ("administrators", .int(tenant.administrators)),
            ("tokens", .int(tenant.tokens)),
            ("limits", try JSONValue(tenant.limits)), ("purged_rows", try tenant.purgedRows.map { try JSONValue($0) } ?? .null),
            ("created_at", .string(tenant.createdAt.rfc3339)), ("updated_at", .string(tenant.updatedAt.rfc3339)),
            ("last_active_at", .text(tenant.lastActiveAt?.rfc3339)), ("suspended_at", .text(tenant.suspendedAt?.rfc3339)),
            ("archived_at", .text(tenant.archivedAt?.rfc3339)), ("purge_at", .text(tenant.purgeAt?.rfc3339)),
            ("purged_at", .text(tenant.purgedAt?.rfc3339)),
        ]
    }

    private func cells(_ total: UsageTotal) -> [JSONValue] {
        [
            .string(total.metric.rawValue), .int(total.value), .number(total.limit), .string(total.period.start.rfc3339),
            .string(total.period.end.rfc3339),
        ]
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
                // A column with a number in it is aligned to the right, which would not suit the other fields.
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
}
