internal import Contract
public import Jobs
public import Postgres

/// The leader's duty: adds what committed batches left behind to their accounts' pools, and measures the pools against their limits.
public enum PoolSweep {
    /// Rows of one round.
    private static let batch: Int64 = 20_000

    public static func duty(every seconds: Double) -> LeaderDuty {
        LeaderDuty("pool sweep", intervalSeconds: seconds) { try run(on: &$0) }
    }

    /// One round in one transaction; repeats while there is a full batch to take.
    public static func run(on database: inout Connection) throws(PostgresError) {
        while try database.transaction({ (database: inout Transaction) throws(PostgresError) in try sweep(on: &database) }) {}
    }

    /// One account's share, in the caller's transaction.
    public static func sweep(account: String, on database: inout Transaction) throws(PostgresError) {
        while try sweep(only: account, on: &database) {}
    }

    private static func sweep(only account: String? = nil, on database: inout Transaction) throws(PostgresError) -> Bool {
        let taken = try database.query(SQL.take, batch, account).decode {
            (account: String, start: Timestamp, end: Timestamp, counts: UsageCounts, rows: Int64) in
            let period = BillingPeriod(start: start, end: end)
            return (booking: UsageBooking(account: account, tenant: nil, period: period, counts: counts), rows: rows)
        }
        guard !taken.isEmpty else { return false }
        let bookings = taken.map(\.booking)
        let due = try database.query(SQL.bump, CounterTable.pools.parameters(bookings)).decode {
            (_: String, start: Timestamp, account: String) in CounterKey(account: account, tenant: nil, periodStart: start)
        }
        let keys = Set(due)
        var counters: [CounterKey: UsageCounts] = [:]
        for booking in bookings where booking.counts.hasDecrease || keys.contains(CounterKey(booking)) {
            counters[CounterKey(booking)] = booking.counts
        }
        try Evaluation.run(counters, on: &database)
        return taken.reduce(0) { $0 + $1.rows } == batch
    }

    enum SQL {
        static let take = Statement(
            """
            with taken as (
                delete from tenantry.usage_deltas where id in (
                    select id from tenantry.usage_deltas where $2::text is null or account = $2
                    order by id limit $1 for update skip locked)
                returning *
            )
            select account, period_start, max(period_end), \(Metric.counts { "sum(\($0.column))" }), count(*)
            from taken group by account, period_start order by account, period_start
            """)
        static let bump = CounterTable.pools.bump
    }
}
