internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// One `usage.aggregate` under way.
///
/// A counter and the rows that it counts are committed together, so one statement sees both as of one moment: what differs is
/// wrong, not late, and is booked as a correction. No counter is held while it is counted.
///
/// A closed period may be named, too. Its hours are made anew, and a counter that is wrong is corrected there as well, in the period that it
/// belongs to; the answer says how many were (`closed_corrections`). The invoices that were made of it stay as they are: the difference is
/// an adjustment on the next.
struct Aggregation {
    /// Tenants of one part.
    static let partSize = 100

    let account: String
    let timezone: String
    private let closedThrough: Timestamp
    /// As of when the account counts as aggregated.
    private let startedAt: Timestamp
    /// Only what changed later than this; nil: everything.
    let since: Timestamp?
    /// Only hours from here on, and counters are not held against the rows; nil: whole periods.
    let recent: Timestamp?
    /// The periods to look at, in ascending order, the present one or the one asked for last.
    let periods: [BillingPeriod]
    private let isWhole: Bool

    private var left: ArraySlice<String>
    private var touched: Set<BillingPeriod> = []
    private var tenants = 0
    private var corrections = 0
    private var closedCorrections = 0

    /// - Parameters:
    ///   - month: the period that starts in it, `YYYY-MM`; nil: the present one, after all earlier ones that moved since the last time.
    ///   - tenant: this one alone.
    ///   - changesOnly: tenants whose counters have not moved since the last time are left out; and of the others, once a day has all been
    ///     counted, only the hours of the last two days are rolled up: rows are read once or twice, not every few minutes.
    init(account: String, month: String?, tenant: String?, changesOnly: Bool, on database: inout Transaction) throws {
        guard let found = try database.query(AggregateSQL.account, account).decode(AggregatedAccount.init).first else {
            throw Rejection(.accountUnknown, "there is no account \(account)", field: "/account")
        }
        self.account = account
        timezone = found.timezone
        closedThrough = found.closedThrough
        startedAt = found.now
        let isRecount = !changesOnly || found.isRecountDue
        since = changesOnly ? (isRecount ? found.changedSinceRecount : found.changedSinceLast) : nil
        recent = isRecount ? nil : found.recentHours
        // A part of the account, or a period of choice, is not the whole that the next round may build on.
        isWhole = month == nil && tenant == nil
        periods = try database.query(AggregateSQL.periods, account, month).decode(BillingPeriod.init)
        left = try database.query(AggregateSQL.tenants, account, tenant, since).decode(String.self)[...]
    }

    /// What the sender is told.
    var result: [String: JSONValue] {
        guard let period = periods.last else { preconditionFailure("an account without a period passed") }
        return [
            "account": .string(account), "tenants": .int(Int64(tenants)), "corrections": .int(Int64(corrections)),
            "closed_corrections": .int(Int64(closedCorrections)), "period_start": .string(period.start.rfc3339),
            "period_end": .string(period.end.rfc3339),
        ]
    }

    /// The next tenants, each part in a transaction of its own; false when there are no more.
    mutating func takePart(on database: inout PartwiseTransaction) throws(PostgresError) -> Bool {
        guard !left.isEmpty else { return false }
        let slugs = Array(left.prefix(Self.partSize))
        left = left.dropFirst(Self.partSize)
        let before = self
        var most = slugs.count + 1
        while true {
            // Aggregations of one account take turns: each would book the same correction.
            try database.transaction.takeTurn("tenantry.aggregate:\(account)")
            let tenants = try aggregatedTenants(slugs, on: &database.transaction)
            guard !tenants.isEmpty else { return true }
            do throws(PostgresError) {
                let active = try take(tenants, on: &database.transaction)
                try database.nextPart()
                guard !active.isEmpty else { return true }
                // By itself: whoever changes a tenant takes its counters first, and would meet this the other way round.
                let ordered = active.sorted { $0.key < $1.key }
                _ = try database.transaction.query(AggregateSQL.noteActivity, ordered.map(\.key), ordered.map(\.value))
                try database.nextPart()
                return true
            } catch {
                // A tenant was purged while it was being counted: the part once more, without it.
                guard error.isMissingRelation, tenants.count < most else { throw error }
                most = tenants.count
                self = before
                try database.startOver()
            }
        }
    }

    /// - Returns: when somebody last said something, by tenant.
    private mutating func take(_ part: [AggregatedTenant], on database: inout Transaction) throws(PostgresError)
        -> [String: Timestamp]
    {
        tenants += part.count
        for tenant in part { try send(tenant, on: &database) }
        var results = try database.collect()[...]
        var found: [UsageBooking] = []
        var active: [String: Timestamp] = [:]
        var gained = HistoryGain()
        func note(_ last: Timestamp?, _ tenant: AggregatedTenant) {
            if let last { active[tenant.slug] = max(last, active[tenant.slug] ?? last) }
        }
        for tenant in part {
            for _ in tenant.hours { gained.add(results.removeFirst()) }
            guard recent == nil else {
                note(results.removeFirst().first(Timestamp.self), tenant)
                continue
            }
            for period in tenant.periods {
                let (difference, last) = results.removeFirst().only((UsageCounts, Timestamp?).self)
                add(difference, to: period, of: tenant, &found)
                note(last, tenant)
            }
            add(results.removeFirst().only(UsageCounts.self), to: .always, of: tenant, &found)
        }
        try gained.book(account: account, on: &database)
        // Counters before the account's row, as everybody takes them.
        try Reevaluation.hold(account: account, tenants: part.map(\.slug), on: &database)
        try Meter.book(found, on: &database)
        try Reevaluation.run(account: account, tenants: part.map(\.slug), on: &database)
        return active
    }

    /// The pools, after all tenants.
    mutating func finish(on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.aggregate:\(account)")
        try Reevaluation.hold(account: account, tenants: [], on: &database)
        var found: [UsageBooking] = []
        for period in touched.union(periods).union([.always]).sorted(by: { $0.start < $1.start }) {
            let difference = try database.query(AggregateSQL.poolDifference, account, period.start).only(UsageCounts.self)
            found.append(UsageBooking(account: account, tenant: nil, period: period, counts: difference))
        }
        try Meter.book(found, on: &database)
        try PoolSweep.sweep(account: account, on: &database)
        try Reevaluation.run(account: account, tenants: [], on: &database)
        guard isWhole else { return }
        _ = try database.query(AggregateSQL.done, account, startedAt, recent == nil)
    }

    private mutating func add(
        _ difference: UsageCounts, to period: BillingPeriod, of tenant: AggregatedTenant, _ found: inout [UsageBooking]
    ) {
        touched.insert(period)
        guard !difference.isZero else { return }
        corrections += 1
        if period != .always, period.end <= closedThrough { closedCorrections += 1 }
        found.append(UsageBooking(account: account, tenant: tenant.slug, period: period, counts: difference))
    }
}
