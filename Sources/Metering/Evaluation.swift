internal import Contract
internal import Postgres

/// Measures subjects against their limits: writes the alerts of thresholds newly crossed or no longer crossed, and notes at which value
/// the next one lies. Off the common path: most bookings cross nothing.
enum Evaluation {
    /// - Parameter counters: with what the present transaction added to each, for the alerts' `previous_value`.
    static func run(_ counters: [CounterKey: UsageCounts], on database: inout Transaction) throws(PostgresError) {
        guard !counters.isEmpty else { return }
        // Held until the commit, so that limits do not change between being read and being measured against.
        _ = try database.query(SQL.lockAccounts, Set(counters.keys.map(\.account)).sorted())
        let measurements = try measure(Array(counters.keys), on: &database)
        let known = try KnownAlert.read(for: measurements, on: &database)
        var alerts: [NewAlert] = []
        for (measurement, known) in zip(measurements, known) {
            let crossed = measurement.thresholds.crossed(by: measurement.value)
            let changes = AlertChanges(crossed: crossed, known: known.mapValues(\.isResolved))
            let previous = measurement.value - (counters[measurement.counter]?[measurement.metric] ?? 0)
            alerts += changes.fire.map {
                NewAlert(
                    measurement, percent: $0, state: $0 < 100 ? .warning : .breached, previous: previous,
                    alsoCrossed: $0 > 100 ? changes.alsoCrossed : 0)
            }
            alerts += changes.resolve.map {
                NewAlert(measurement, percent: $0, state: .resolved, previous: previous, period: known[$0]!.period)
            }
        }
        try Alerts.write(alerts, on: &database)
        try noteNextValues(measurements, on: &database)
    }

    private static func measure(_ counters: [CounterKey], on database: inout Transaction) throws(PostgresError) -> [Measurement] {
        let tenants = counters.filter { $0.tenant != nil }
        let pools = counters.filter { $0.tenant == nil }
        var measurements: [Measurement] = []
        for (statement, counters) in [(SQL.measureTenants, tenants), (SQL.measurePools, pools)] where !counters.isEmpty {
            let rows = try database.query(statement, counters.map(\.owner), counters.map(\.periodStart))
            measurements += rows.decode(Measurement.init).compactMap { $0 }
        }
        return measurements
    }

    private static func noteNextValues(_ measurements: [Measurement], on database: inout Transaction) throws(PostgresError) {
        var next: [CounterKey: [Metric: Int64]] = [:]
        for measurement in measurements {
            next[measurement.counter, default: [:]][measurement.metric] = measurement.thresholds.nextValue(
                after: measurement.value)
        }
        for (statement, table) in [(SQL.noteTenants, CounterTable.tenants), (SQL.notePools, CounterTable.pools)] {
            let isPool = table.owner == CounterTable.pools.owner
            let counters = next.keys.filter { ($0.tenant == nil) == isPool }
                .sorted { ($0.owner, $0.periodStart) < ($1.owner, $1.periodStart) }
            guard !counters.isEmpty else { continue }
            // As many columns as there are metrics: no tuple of fixed types.
            var parameters = Parameters(counters.map(\.owner), counters.map(\.periodStart))
            for metric in table.metrics { counters.map { next[$0]?[metric] }.append(to: &parameters) }
            _ = try database.query(statement, parameters)
        }
    }
}

/// One metric of one subject, with all that an alert says about it.
struct Measurement {
    /// The row that was measured; a gauge's is that of ``BillingPeriod/always``.
    let counter: CounterKey
    let metric: Metric
    /// The billing period that an alert names.
    let period: BillingPeriod
    let value: Int64
    let limit: Int64?
    let mode: AlertEvent.Mode
    let plan: String
    let thresholds: Thresholds
    let timezone: String

    /// A row of `Evaluation.SQL.measureTenants` or `measurePools`; nil where this build does not know the metric.
    init?(
        account: String, tenant: String?, metric: String, rowStart: Timestamp, periodStart: Timestamp, periodEnd: Timestamp,
        value: Int64, limit: Int64?, mode: String, plan: String, percents: [Int64], timezone: String
    ) {
        guard let metric = Metric(rawValue: metric) else { return nil }
        counter = CounterKey(account: account, tenant: tenant, periodStart: rowStart)
        self.metric = metric
        period = BillingPeriod(start: periodStart, end: periodEnd)
        self.value = value
        self.limit = limit
        self.mode = AlertEvent.Mode(rawValue: mode) ?? .soft
        self.plan = plan
        thresholds = Thresholds(percents: percents.map { Int($0) }, limit: limit)
        self.timezone = timezone
    }
}

extension Evaluation {
    enum SQL {
        static let lockAccounts: Statement = "select slug from tenantry.accounts where slug = any($1) order by slug for share"
        static let measureTenants = measure(.tenants, tenant: "u.tenant")
        static let measurePools = measure(.pools, tenant: "null::text")
        static let noteTenants = note(.tenants)
        static let notePools = note(.pools)

        private static func measure(_ table: CounterTable, tenant: String) -> Statement {
            Statement(
                """
                select u.account, \(tenant), l.metric, u.period_start,
                       case when m.is_gauge then p.period_start else u.period_start end,
                       case when m.is_gauge then p.period_end else u.period_end end,
                       \(table.metrics.value(of: "l.metric", in: "u")),
                       l.limit_value, l.mode, l.plan, l.thresholds, a.timezone
                from unnest($1::text[], $2::timestamptz[]) as s (owner, period_start)
                join \(table.name) u on u.\(table.owner) = s.owner and u.period_start = s.period_start
                join tenantry.accounts a on a.slug = u.account
                cross join lateral tenantry.period(now(), a.timezone, a.billing_anchor_day) p
                cross join lateral tenantry.limits_of(u.account, \(tenant)) l
                join tenantry.metrics m on m.name = l.metric and m.is_gauge = (u.period_start = '-infinity')
                where l.metric in (\(table.metrics.columns { "'\($0)'" }))
                order by u.account, s.owner, u.period_start, m.position
                """)
        }

        /// `$3` and on: the metrics' next values, null where nothing can be crossed.
        private static func note(_ table: CounterTable) -> Statement {
            let metrics = table.metrics
            return Statement(
                """
                update \(table.name) u set \(metrics.columns { "\(Metric.alertColumn($0)) = n.\($0)" })
                from unnest($1::text[], $2::timestamptz[], \(metrics.arrays(from: 3))) as n (owner, period_start, \(metrics.columns))
                where u.\(table.owner) = n.owner and u.period_start = n.period_start
                  and (\(metrics.columns { "u.\(Metric.alertColumn($0))" })) is distinct from (\(metrics.columns { "n.\($0)" }))
                """)
        }
    }
}
