internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import Usage

/// Which subjects are shown.
enum UsageSelection {
    /// Of each account its pool and the `count` tenants with the largest values of `metric`, in that order.
    static func largest(_ count: Int, of totals: [UsageTotal], by metric: Metric) -> [UsageTotal] {
        var subjects: [String: [String: [UsageTotal]]] = [:]
        for total in totals { subjects[total.account, default: [:]][total.tenant ?? "", default: []].append(total) }
        return subjects.sorted { $0.key < $1.key }.flatMap { _, subjects in
            func value(_ subject: [UsageTotal]) -> Int64 { subject.first { $0.metric == metric }?.value ?? 0 }
            let tenants = subjects.filter { !$0.key.isEmpty }.sorted { (value($1.value), $0.key) < (value($0.value), $1.key) }
            return (subjects[""] ?? []) + tenants.prefix(count).flatMap(\.value)
        }
    }

    /// The report for what is in `totals`, account by account.
    static func reports(
        _ totals: [UsageTotal], by bucket: UsageReport.Bucket, month: String?, on database: inout Connection
    ) throws -> [String: UsageReport] {
        var reports: [String: UsageReport] = [:]
        var questions: [String: UsageReport.Question] = [:]
        for total in totals where !total.metric.isGauge {
            var question =
                questions[total.account]
                ?? UsageReport.Question(
                    account: total.account, tenants: [], hasPool: false, metrics: [], month: month, by: bucket)
            if let tenant = total.tenant {
                if question.tenants?.last != tenant { question.tenants?.append(tenant) }
            } else {
                question.hasPool = true
            }
            if !question.metrics.contains(total.metric) { question.metrics.append(total.metric) }
            questions[total.account] = question
        }
        for (account, question) in questions { reports[account] = try UsageReport(question, on: &database) }
        return reports
    }
}

/// One row for each subject and metric.
struct UsageTotalsTable {
    private let totals: [UsageTotal]
    private let hasDays: Bool
    private var days: [Key: String] = [:]

    private struct Key: Hashable {
        let account: String
        let tenant: String?
        let metric: Metric
    }

    /// - Parameter drawn: the rows of which a column draws the days; nil: without such a column.
    init(_ totals: [UsageTotal], month: String?, drawing drawn: [UsageTotal]?, on database: inout Connection) throws {
        self.totals = totals
        hasDays = drawn != nil
        guard let drawn else { return }
        for (account, report) in try UsageSelection.reports(drawn, by: .day, month: month, on: &database) {
            for series in report.series {
                let key = Key(account: account, tenant: series.tenant, metric: series.metric)
                days[key] = UsageChart.sparkline(Array(series.values.prefix(report.begun)))
            }
        }
    }

    func print(_ format: UsageFormat) {
        var columns = ["account", "tenant", "metric", "value", "limit", "percent", "share", "projection", "reached_at"]
        if hasDays { columns.append("days") }
        var table = Table(columns + ["period_start", "period_end"])
        let now = Timestamp.now()
        for total in totals {
            let outlook = total.outlook(at: now)
            var row: [JSONValue] = [
                .string(total.account), .text(total.tenant), .string(total.metric.rawValue), .int(total.value),
                .number(total.limit), Self.percent(total.value, of: total.limit),
                total.tenant == nil ? .null : Self.percent(total.value, of: total.pool), .int(outlook.projection),
                .text(outlook.reachedAt?.rfc3339),
            ]
            if hasDays { row.append(.text(days[Key(account: total.account, tenant: total.tenant, metric: total.metric)])) }
            table.append(row + [.string(total.period.start.rfc3339), .string(total.period.end.rfc3339)])
        }
        table.print(as: format)
    }

    private static func percent(_ value: Int64, of whole: Int64?) -> JSONValue {
        guard let whole, whole > 0 else { return .null }
        return .double((Double(value) * 1_000 / Double(whole)).rounded() / 10)
    }
}

/// One row for each subject, metric and bucket.
struct UsageSeriesTable {
    private let reports: [UsageReport]

    init(_ totals: [UsageTotal], by bucket: UsageReport.Bucket, month: String?, on database: inout Connection) throws {
        reports = try UsageSelection.reports(totals, by: bucket, month: month, on: &database).sorted { $0.key < $1.key }.map(
            \.value)
    }

    func print(_ format: UsageFormat) {
        let hasBars = format == .table
        let name = reports.first?.bucket.rawValue ?? "start"
        var table = Table(["account", "tenant", "metric", name, "start", "value"] + (hasBars ? ["bar"] : []))
        for report in reports {
            for series in report.series {
                let most = series.values.max() ?? 0
                for (index, value) in series.values.prefix(report.begun).enumerated() {
                    let row: [JSONValue] = [
                        .string(report.account), .text(series.tenant), .string(series.metric.rawValue),
                        .string(report.labels[index]), .string(report.starts[index].rfc3339), .int(value),
                    ]
                    table.append(row + (hasBars ? [.string(UsageChart.bar(value, of: most))] : []))
                }
            }
        }
        table.print(as: format)
    }
}
