internal import Contract
internal import Postgres

/// A table of counters. It has a row for each owner and period, and two columns for each metric: its value, and the value at which its next
/// threshold lies.
struct CounterTable {
    let name: String
    /// The column that names a row's owner.
    let owner: String
    /// What is counted in it.
    let metrics: [Metric]
    /// Columns of a row before its metrics, in the order of ``parameters(_:)``.
    private let keys: [(name: String, type: String)]

    static let tenants = CounterTable(name: "tenantry.tenant_usage", owner: "tenant", metrics: Metric.ofTenants, hasTenant: true)
    static let pools = CounterTable(name: "tenantry.account_usage", owner: "account", metrics: Metric.allCases)
    /// What committed batches added to the pools and the leader has not yet swept up. Its rows have no thresholds.
    static let deltas = CounterTable(name: "tenantry.usage_deltas", owner: "account", metrics: Metric.allCases)

    private init(name: String, owner: String, metrics: [Metric], hasTenant: Bool = false) {
        self.name = name
        self.owner = owner
        self.metrics = metrics
        keys =
            (hasTenant ? [("tenant", "text")] : [])
            + [("account", "text"), ("period_start", "timestamptz"), ("period_end", "timestamptz")]
    }

    /// The rows as arrays, one for each column: the keys, then the metrics.
    func parameters(_ bookings: [UsageBooking]) -> Parameters {
        var parameters = Parameters()
        if keys.count == 4 { parameters.append(bookings.map { $0.tenant ?? "" }) }
        parameters.append(bookings.map(\.account))
        parameters.append(timestamps: bookings.map(\.period.start))
        parameters.append(timestamps: bookings.map(\.period.end))
        for metric in metrics { parameters.append(bookings.map { $0.counts[metric] }) }
        return parameters
    }

    /// `insert into <table> as u (…) select * from unnest(…)`, of ``parameters(_:)``.
    var insert: String {
        let arrays = keys.enumerated().map { "$\($0.offset + 1)::\($0.element.type)[]" }.joined(separator: ", ")
        return """
            insert into \(name) as u (\(keys.map(\.name).joined(separator: ", ")), \(metrics.columns))
            select * from unnest(\(arrays), \(metrics.arrays(from: keys.count + 1)))
            """
    }

    /// Adds to the counters, and gives the keys of the rows in which some value has reached its next threshold: owner, period start, account.
    var bump: Statement {
        Statement(
            """
            with bumped as (
                \(insert)
                on conflict (\(owner), period_start) do update
                set \(metrics.columns { "\($0) = u.\($0) + excluded.\($0)" }), changed_at = now()
                returning *
            )
            select \(owner), period_start, account from bumped
            where \(metrics.columns(separator: " or ") { "\($0) >= \(Metric.alertColumn($0))" })
            """)
    }
}
