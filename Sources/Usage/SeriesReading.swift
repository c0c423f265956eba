internal import Contract
internal import Metering
internal import Postgres

/// The values of a metric in each bucket.
typealias BucketValues = [Metric: [Int64]]

/// Reads the series of a ``UsageReport``.
struct SeriesReading {
    let question: UsageReport.Question
    let period: ReportPeriod
    let starts: [Timestamp]

    init(_ question: UsageReport.Question, _ period: ReportPeriod, starts: [Timestamp]) {
        self.question = question
        self.period = period
        self.starts = starts
    }

    var empty: [Int64] { [Int64](repeating: 0, count: starts.count) }
    private var hasUsers: Bool { question.metrics.contains(.activeUsers) }

    /// A tenant and where its rows are.
    struct Table {
        let tenant: String
        let schema: Identifier
    }

    /// What one tenant's rows say.
    struct TenantSeries {
        let tenant: String
        /// Up to this moment.
        var live: BucketValues = [:]
        /// What of it is rolled up, and so in the account's hours.
        var rolledUp: BucketValues = [:]
    }

    // MARK: Hours and days

    func spans(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [UsageReport.Series] {
        var series: [UsageReport.Series] = []
        if question.hasPool { series = UsageReport.Series.all(of: question.metrics, try pool(on: &database), tenant: nil, empty) }
        guard question.tenants?.isEmpty != true else { return series }
        let tables = try tables(of: question.tenants, on: &database)
        for first in stride(from: 0, to: tables.count, by: UsageReport.chunk) {
            let part = Array(tables[first..<min(first + UsageReport.chunk, tables.count)])
            for tenant in try read(part, on: &database) {
                series += UsageReport.Series.all(of: question.metrics, tenant.live, tenant: tenant.tenant, empty)
            }
        }
        return series
    }

    private func tables(of tenants: [String]?, on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [Table] {
        var tables: [Table] = []
        for (tenant, schema) in try database.query(ReportSQL.tenants, question.account, tenants).decode((String, String).self) {
            tables.append(Table(tenant: tenant, schema: try Identifier(schema)))
        }
        return tables
    }

    /// Roll-ups, and the raw rows since then. Where the hours do not sum up to the counter, something came late: such a tenant is counted from its
    /// raw rows alone.
    func read(_ tables: [Table], on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [TenantSeries] {
        var found = try read(tables, fromHour: period.rolledUpHour, day: period.rolledUpDay, on: &database)
        let sums = try sums(SeriesSQL.tenantSums, of: tables.map(\.tenant), on: &database)
        let wrong = found.indices.filter { index in
            let expected = sums[found[index].tenant] ?? UsageCounts()
            return SeriesSQL.summed.contains { total(found[index].live, $0) != expected[$0] }
        }
        guard !wrong.isEmpty else { return found }
        let counted = try read(wrong.map { tables[$0] }, fromHour: .distantPast, day: .distantPast, on: &database)
        for (index, series) in zip(wrong, counted) { found[index] = series }
        return found
    }

    private func read(
        _ tables: [Table], fromHour hour: Timestamp, day: Timestamp, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [TenantSeries] {
        let isByDay = question.bucket == .day
        let sql = isByDay ? (hasUsers ? SeriesSQL.days : SeriesSQL.daysWithoutUsers) : SeriesSQL.hours
        let (from, fromDay) = (max(hour, period.start), max(day, period.start))
        for table in tables {
            let statement = sql(table.schema)
            if isByDay, hasUsers {
                try database.send(statement, from, period.end, period.timezone, table.tenant, starts, fromDay)
            } else {
                try database.send(statement, from, period.end, period.timezone, table.tenant, starts)
            }
        }
        var found: [TenantSeries] = []
        for (table, rows) in zip(tables, try database.collect()) {
            var series = TenantSeries(tenant: table.tenant)
            for (name, bucket, live, rolledUp) in rows.decode((String, Int, Int64, Int64).self) {
                add(live, name, bucket, to: &series.live)
                add(rolledUp, name, bucket, to: &series.rolledUp)
            }
            found.append(series)
        }
        return found
    }

    // MARK: The pool

    private func pool(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> BucketValues {
        try database.send(SeriesSQL.pool, question.account, starts, period.end)
        if question.bucket == .day { try database.send(SeriesSQL.poolUsers, question.account, starts, period.end) }
        var values: BucketValues = [:]
        for (index, rows) in try database.collect().enumerated() {
            for (name, bucket, value) in rows.decode((String, Int, Int64).self)
            where index > 0 || question.bucket == .hour || name != Metric.activeUsers.rawValue {
                add(value, name, bucket, to: &values)
            }
        }
        let expected = try sums(SeriesSQL.poolSums, of: nil, on: &database)[""] ?? UsageCounts()
        func missing(_ metric: Metric) -> Int64 { expected[metric] - total(values, metric) }
        var known: Set<String> = []
        // What moved since the last roll-up, and then what may be of days that the roll-ups look at once a day.
        for mark in [period.movedSinceAggregation, period.movedSinceRecount]
        where SeriesSQL.summed.contains(where: { missing($0) != 0 }) {
            let most = UsageReport.mostMovedTenants
            let moved = try database.query(SeriesSQL.moved, question.account, period.start, mark, most + 1).decode(
                (String, String).self)
            guard moved.count <= most else { break }
            var tables: [Table] = []
            for (tenant, schema) in moved where known.insert(tenant).inserted {
                tables.append(Table(tenant: tenant, schema: try Identifier(schema)))
            }
            for series in try read(tables, on: &database) {
                for (metric, live) in series.live { add(live, 1, metric, to: &values) }
                for (metric, rolledUp) in series.rolledUp { add(rolledUp, -1, metric, to: &values) }
            }
        }
        let present = starts.count { $0 <= period.now } - 1
        guard period.now < period.end, present >= 0 else { return values }
        for metric in SeriesSQL.summed where missing(metric) > 0 {
            values[metric, default: empty][present] += missing(metric)
        }
        return values
    }

    // MARK: Months

    func months(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [UsageReport.Series] {
        var series: [UsageReport.Series] = []
        if question.hasPool {
            let values = try months(SeriesSQL.poolMonths, of: nil, on: &database)
            series = UsageReport.Series.all(of: question.metrics, values[""] ?? [:], tenant: nil, empty)
        }
        guard question.tenants?.isEmpty != true else { return series }
        var tenants = question.tenants ?? []
        if question.tenants == nil { tenants = try tables(of: nil, on: &database).map(\.tenant) }
        let values = try months(SeriesSQL.tenantMonths, of: tenants, on: &database)
        for tenant in tenants.sorted() {
            series += UsageReport.Series.all(of: question.metrics, values[tenant] ?? [:], tenant: tenant, empty)
        }
        return series
    }

    private func months(
        _ statement: Statement, of tenants: [String]?, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [String: BucketValues] {
        let rows =
            if let tenants { try database.query(statement, question.account, starts, period.end, tenants) } else {
                try database.query(statement, question.account, starts, period.end)
            }
        var values: [String: BucketValues] = [:]
        for (subject, name, bucket, value) in rows.decode((String, String, Int, Int64).self) {
            add(value, name, bucket, to: &values[subject, default: [:]])
        }
        return values
    }

    // MARK: Sums

    private func sums(
        _ statement: Statement, of tenants: [String]?, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [String: UsageCounts] {
        let rows =
            if let tenants { try database.query(statement, question.account, period.start, tenants) } else {
                try database.query(statement, question.account, period.start)
            }
        return Dictionary(uniqueKeysWithValues: rows.decode((String, UsageCounts).self))
    }

    private func total(_ values: BucketValues, _ metric: Metric) -> Int64 { values[metric]?.reduce(0, +) ?? 0 }

    private func add(_ value: Int64, _ name: String, _ bucket: Int, to values: inout BucketValues) {
        guard let metric = Metric(rawValue: name), starts.indices.contains(bucket) else { return }
        values[metric, default: empty][bucket] += value
    }

    private func add(_ more: [Int64], _ sign: Int64, _ metric: Metric, to values: inout BucketValues) {
        var sum = values[metric] ?? empty
        for (index, value) in more.enumerated() { sum[index] += sign * value }
        values[metric] = sum
    }
}

extension UsageReport.Series {
    /// One for each metric, in their order.
    static func all(of metrics: [Metric], _ values: BucketValues, tenant: String?, _ empty: [Int64]) -> [UsageReport.Series] {
        metrics.map { UsageReport.Series(tenant: tenant, metric: $0, values: values[$0] ?? empty) }
    }
}
