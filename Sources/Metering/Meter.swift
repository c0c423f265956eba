internal import Contract
public import Postgres

/// Books usage in the transaction of the effect that caused it.
public enum Meter {
    /// Adds to the tenants' counters and leaves what their pools gained for the leader; writes the alerts of every threshold that a
    /// tenant crosses by it.
    ///
    /// - Parameter bookings: in any order; they are booked in the order of tenant and period, so that lanes wait for each other instead of
    ///   blocking each other.
    public static func book(_ bookings: [UsageBooking], on database: inout Transaction) throws(PostgresError) {
        let moved = bookings.filter { !$0.counts.isZero }
        guard !moved.isEmpty else { return }
        let tenants = moved.filter { $0.tenant != nil }.sorted { ($0.tenant!, $0.period.start) < ($1.tenant!, $1.period.start) }
        try sendPools(moved, on: &database)
        guard !tenants.isEmpty else {
            _ = try database.collect()
            return
        }
        try database.send(SQL.bump, CounterTable.tenants.parameters(tenants))
        let due = try database.collect()[1]
        var counters: [CounterKey: UsageCounts] = [:]
        for booking in tenants where booking.counts.hasDecrease {
            counters[CounterKey(booking), default: UsageCounts()] += booking.counts
        }
        if due.count > 0 {
            let keys = Set(
                due.decode { (tenant: String, start: Timestamp, account: String) in
                    CounterKey(account: account, tenant: tenant, periodStart: start)
                })
            for booking in tenants where keys.contains(CounterKey(booking)) { counters[CounterKey(booking)] = booking.counts }
        }
        try Evaluation.run(counters, on: &database)
    }

    /// Takes what a tenant holds out of its gauges and out of its account's. What it used in its periods stays.
    public static func releaseGauges(of tenant: String, account: String, on database: inout Transaction) throws(PostgresError) {
        guard let held = try database.query(SQL.gauges, tenant).first(UsageCounts.self) else { return }
        try book([UsageBooking(account: account, tenant: tenant, period: .always, counts: -held)], on: &database)
    }

    private static func sendPools(_ bookings: [UsageBooking], on database: inout Transaction) throws(PostgresError) {
        var pools: [CounterKey: UsageBooking] = [:]
        for booking in bookings {
            let key = CounterKey(account: booking.account, tenant: nil, periodStart: booking.period.start)
            if pools[key] == nil {
                pools[key] = UsageBooking(account: booking.account, tenant: nil, period: booking.period, counts: booking.counts)
            } else {
                pools[key]!.counts += booking.counts
            }
        }
        try database.send(SQL.delta, CounterTable.deltas.parameters(Array(pools.values)))
    }

    enum SQL {
        static let bump = CounterTable.tenants.bump
        static let delta = Statement(CounterTable.deltas.insert)
        static let gauges = Statement(
            """
            select \(Metric.counts { $0.isForTenants ? $0.column : nil }) from tenantry.tenant_usage
            where tenant = $1 and period_start = '-infinity' for update
            """)
    }
}
