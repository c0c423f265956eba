internal import Contract
internal import Postgres

/// An alert that has fired before and still counts.
struct KnownAlert {
    let isResolved: Bool
    /// The period that it fired in; a gauge's may be an earlier one.
    let period: BillingPeriod

    /// For each measurement, by threshold, the alerts that count in its period. A gauge carries over, so an alert of an earlier period
    /// counts for it until it is resolved.
    static func read(for measurements: [Measurement], on database: inout Transaction) throws(PostgresError) -> [[Int: KnownAlert]]
    {
        var known = [[Int: KnownAlert]](repeating: [:], count: measurements.count)
        let rows = try database.query(
            SQL.known, measurements.map(\.counter.account), measurements.map { $0.counter.tenant ?? "" },
            measurements.map(\.metric.rawValue), measurements.map { $0.metric.isGauge ? .distantPast : $0.period.start }
        ).decode((Int, Int, Bool, Timestamp, Timestamp).self)
        for (index, percent, isResolved, start, end) in rows {
            let isEarlier = start != measurements[index].period.start
            if isEarlier, isResolved { continue }
            // This period's own alert weighs more than an earlier one that is still open, unless that is all there is.
            if let present = known[index][percent], !present.isResolved { continue }
            known[index][percent] = KnownAlert(isResolved: isResolved, period: BillingPeriod(start: start, end: end))
        }
        return known
    }

    enum SQL {
        static let known: Statement = """
            select s.n - 1, a.threshold_percent, bool_or(a.state = 'resolved'), a.period_start, max(a.period_end)
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) with ordinality as s (account, tenant, metric, period_start, n)
            join tenantry.alerts a on a.account = s.account and coalesce(a.tenant, '') = s.tenant and a.metric = s.metric
                and (s.period_start = '-infinity' or a.period_start = s.period_start)
            group by s.n, a.threshold_percent, a.period_start
            order by s.n, a.threshold_percent, a.period_start
            """
    }
}
