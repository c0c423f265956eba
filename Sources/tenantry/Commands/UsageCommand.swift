internal import Accounts
internal import ArgumentParser
internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import Tenants
internal import Usage

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What accounts and tenants use.", subcommands: [Show.self])

    struct Show: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a period's usage and limits; a row without a tenant is the account's pool.",
            discussion: """
                Totals are the live counters; limits are those of now. Days, hours and months are those of the account's own clock, and \
                go up to this moment.
                A month is a billing period, named after the month in which it begins; --by month shows the last twelve.
                The projection is what the period comes to at its pace so far; reached_at is when its limit is reached at that pace, or was. In the \
                first day of a period the pace is taken over a whole day.
                The column "days" is drawn for the rows that are shown. For active_users it is left empty unless --metric or --by asks for them.
                """)

        @OptionGroup var server: ServerOptions
        @Argument(help: "Only this account.")
        var account: String?
        @Option(help: "Only this tenant.")
        var tenant: String?
        @Option(help: "One row for each hour, day or month instead of the totals.")
        var by: UsageBucket?
        @Option(help: "The period that begins in this month, YYYY-MM; the present one if not given.", transform: Self.month)
        var period: String?
        @Option(help: "Only this metric: \(Metric.allCases.map(\.rawValue).joined(separator: ", ")).", transform: Self.metric)
        var metric: Metric?
        @Option(help: "Of each account, only the pool and so many tenants that used most: of --metric, or of messages.")
        var top: Int?
        @Option(help: "How to print: table, json or csv.")
        var format = UsageFormat.table

        func validate() throws {
            if let top, top < 0 { throw ValidationError("--top must be 0 or more.") }
            if let by, let metric, metric.isGauge {
                throw ValidationError(
                    "\(metric.rawValue) has a present value and no history: there is nothing by \(by.rawValue).")
            }
        }

        func run(with settings: Settings) throws {
            var database = try Connection(try settings.readersDatabase(name: "tenantry usage"))
            let ranking = metric ?? .messages
            // Every metric is read, because --top goes by `ranking`, whichever metric is shown.
            var totals = try UsageTotal.read(account: account, tenant: tenant, month: period, on: &database)
            if totals.isEmpty || account != nil && tenant != nil { try checkNames(totals, on: &database) }
            if let period, !totals.isEmpty, totals.allSatisfy({ $0.period.start > Timestamp.now() }) {
                throw Failure("the period \(period) has not begun")
            }
            if let top { totals = UsageSelection.largest(top, of: totals, by: ranking) }
            if let metric { totals = totals.filter { $0.metric == metric } }
            if by == nil, totals.isEmpty, let metric {
                throw Failure(
                    metric.isForTenants
                        ? "\(metric.rawValue) has a present value and no history: only the present period has it"
                        : "no tenant has \(metric.rawValue), only its account")
            }
            if let by {
                try UsageSeriesTable(totals, by: by.bucket, month: period, on: &database).print(format)
            } else {
                // Only days that are cheap to read are drawn, unless somebody asks for more.
                let drawn = totals.filter { metric == .activeUsers || $0.metric != .activeUsers }
                try UsageTotalsTable(totals, month: period, drawing: format == .table ? drawn : nil, on: &database).print(format)
            }
        }

        /// Says which name is wrong, where nothing was found.
        private func checkNames(_ totals: [UsageTotal], on database: inout Connection) throws {
            if let account, try AccountSummary.find(account, on: &database) == nil {
                throw Failure("there is no account \(account)")
            }
            guard let tenant, totals.isEmpty else { return }
            guard let found = try TenantSummary.find(tenant, on: &database) else { throw Failure("there is no tenant \(tenant)") }
            if let account, found.account != account { throw Failure("tenant \(tenant) is not of account \(account)") }
            throw Failure("tenant \(tenant) was purged and used nothing in this period")
        }

        private static func month(_ text: String) throws -> String {
            guard text.wholeMatch(of: /[0-9]{4}-(0[1-9]|1[0-2])/) != nil else {
                throw ValidationError("The period must be a month such as 2026-11.")
            }
            return text
        }

        private static func metric(_ text: String) throws -> Metric {
            guard let metric = Metric(rawValue: text) else {
                let known = Metric.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("There is no metric \(text); there are \(known).")
            }
            return metric
        }
    }
}
