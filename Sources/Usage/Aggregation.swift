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

    private let account: String
    private let timezone: String
    private let closedThrough: Timestamp
    /// As of when the account counts as aggregated.
    private let startedAt: Timestamp
    /// Only what changed later than this; nil: everything.
    private let since: Timestamp?
    /// Only hours from here on, and counters are not held against the rows; nil: whole periods.
    private let recent: Timestamp?
    /// The periods to look at, in ascending order, the present one or the one asked for last.
    private let periods: [BillingPeriod]
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
        var parameters = Parameters()
        parameters.append(account)
        let found = try database.query(AggregateSQL.account, parameters)
        guard found.count == 1 else { throw Rejection(.accountUnknown, "there is no account \(account)", field: "/account") }
        self.account = account
        timezone = found.text(0, 0)
        closedThrough = found.timestamp(0, 1)
        startedAt = found.timestamp(0, 2)
        let isRecount = !changesOnly || found.bool(0, 6)
        since = changesOnly ? found.timestamp(0, isRecount ? 4 : 3) : nil
        recent = isRecount ? nil : found.timestamp(0, 5)
        // A part of the account, or a period of choice, is not the whole that the next round may build on.
        isWhole = month == nil && tenant == nil

        parameters.append(month)
        let rows = try database.query(AggregateSQL.periods, parameters)
        periods = (0..<rows.count).map { BillingPeriod(start: rows.timestamp($0, 0), end: rows.timestamp($0, 1)) }
        var subjects = Parameters()
        subjects.append(account)
        subjects.append(tenant)
        subjects.append(timestamp: since)
        let slugs = try database.query(AggregateSQL.tenants, subjects)
        left = (0..<slugs.count).map { slugs.text($0, 0) }[...]
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
            let subjects = try subjects(of: slugs, on: &database.transaction)
            guard !subjects.isEmpty else { return true }
            do throws(PostgresError) {
                let active = try take(subjects, on: &database.transaction)
                try database.nextPart()
                guard !active.isEmpty else { return true }
                // By itself: whoever changes a tenant takes its counters first, and would meet this the other way round.
                _ = try database.transaction.query(AggregateSQL.noteActivity, active.parameters)
                try database.nextPart()
                return true
            } catch {
                // A tenant was purged under our hands: the part once more, without it.
                guard error.isMissingRelation, subjects.count < most else { throw error }
                most = subjects.count
                self = before
                try database.startOver()
            }
        }
    }

    private mutating func take(_ subjects: [Subject], on database: inout Transaction) throws(PostgresError) -> Activity {
        tenants += subjects.count
        for subject in subjects { try send(subject, on: &database) }
        var results = try database.collect()[...]
        var found: [Usage] = []
        var active = Activity()
        for subject in subjects {
            // The roll-ups' own results say nothing.
            results = results.dropFirst(subject.hours.count)
            guard recent == nil else {
                if let last = results.removeFirst().optionalTimestamp(0, 0) { active.note(subject.slug, last) }
                continue
            }
            for period in subject.periods {
                let rows = results.removeFirst()
                add(Self.flow(rows), to: period, of: subject, &found)
                if let last = rows.optionalTimestamp(0, 4) { active.note(subject.slug, last) }
            }
            add(Self.gauges(results.removeFirst()), to: .always, of: subject, &found)
        }
        // Counters before the account's row, as everybody takes them.
        try Reevaluation.hold(account: account, tenants: subjects.map(\.slug), on: &database)
        try Meter.book(found, on: &database)
        try Reevaluation.run(account: account, tenants: subjects.map(\.slug), on: &database)
        return active
    }

    /// The pools, after all tenants.
    mutating func finish(on database: inout Transaction) throws(PostgresError) {
        try database.takeTurn("tenantry.aggregate:\(account)")
        try Reevaluation.hold(account: account, tenants: [], on: &database)
        var found: [Usage] = []
        for period in touched.union(periods).union([.always]).sorted(by: { $0.start < $1.start }) {
            var parameters = Parameters()
            parameters.append(account)
            parameters.append(timestamp: period.start)
            let rows = try database.query(AggregateSQL.poolDifference, parameters)
            var counts = UsageCounts()
            for (column, metric) in Metric.allCases.enumerated() { counts[metric] = rows.int(0, column) }
            found.append(Usage(account: account, tenant: nil, period: period, counts: counts))
        }
        try Meter.book(found, on: &database)
        try PoolSweep.sweep(account: account, on: &database)
        try Reevaluation.run(account: account, tenants: [], on: &database)
        guard isWhole else { return }
        var parameters = Parameters()
        parameters.append(account)
        parameters.append(timestamp: startedAt)
        parameters.append(recent == nil)
        _ = try database.query(AggregateSQL.done, parameters)
    }

    private mutating func add(_ counts: UsageCounts, to period: BillingPeriod, of subject: Subject, _ found: inout [Usage]) {
        touched.insert(period)
        guard counts != UsageCounts() else { return }
        corrections += 1
        if period != .always, period.end <= closedThrough { closedCorrections += 1 }
        found.append(Usage(account: account, tenant: subject.slug, period: period, counts: counts))
    }
}

extension Aggregation {
    /// A tenant, the periods to count, and the spans of hours to roll up.
    struct Subject {
        let slug: String
        let schema: Identifier
        var periods: [BillingPeriod]
        var hours: [BillingPeriod] = []
    }

    /// When somebody last said something, by tenant.
    struct Activity {
        private var latest: [String: Timestamp] = [:]

        var isEmpty: Bool { latest.isEmpty }

        mutating func note(_ slug: String, _ at: Timestamp) { latest[slug] = max(at, latest[slug] ?? at) }

        var parameters: Parameters {
            let ordered = latest.sorted { $0.key < $1.key }
            var parameters = Parameters()
            parameters.append(ordered.map(\.key))
            parameters.append(timestamps: ordered.map(\.value))
            return parameters
        }
    }

    /// Those of the tenants that are still there.
    private func subjects(of slugs: [String], on database: inout Transaction) throws(PostgresError) -> [Subject] {
        var parameters = Parameters()
        parameters.append(slugs)
        let rows = try database.query(AggregateSQL.schemas, parameters)
        var subjects: [Subject] = []
        for row in 0..<rows.count {
            let schema = try Identifier(rows.text(row, 1))
            subjects.append(Subject(slug: rows.text(row, 0), schema: schema, periods: since == nil ? periods : []))
        }
        if let since {
            parameters.append(timestamp: since)
            let changed = try database.query(AggregateSQL.changedPeriods, parameters)
            var periods: [String: [BillingPeriod]] = [:]
            for row in 0..<changed.count {
                let period = BillingPeriod(start: changed.timestamp(row, 1), end: changed.timestamp(row, 2))
                periods[changed.text(row, 0), default: []].append(period)
            }
            for index in subjects.indices { subjects[index].periods = periods[subjects[index].slug] ?? [] }
        }
        try addHours(to: &subjects, on: &database)
        return subjects
    }

    /// All hours of the periods, and of those that late messages in them belong to; or the recent ones of all of them.
    private func addHours(to subjects: inout [Subject], on database: inout Transaction) throws(PostgresError) {
        if let recent {
            for index in subjects.indices {
                guard let end = subjects[index].periods.map(\.end).max(), end > recent else { continue }
                subjects[index].hours = [BillingPeriod(start: recent, end: end)]
            }
            return
        }
        var parameters = Parameters()
        parameters.append(subjects.map(\.slug))
        parameters.append(timestamps: Set(subjects.flatMap { $0.periods.map(\.start) }).sorted())
        let rows = try database.query(AggregateSQL.latePeriods, parameters)
        var late: [String: [(booked: Timestamp, own: BillingPeriod)]] = [:]
        for row in 0..<rows.count {
            let own = BillingPeriod(start: rows.timestamp(row, 2), end: rows.timestamp(row, 3))
            late[rows.text(row, 0), default: []].append((rows.timestamp(row, 1), own))
        }
        for index in subjects.indices {
            let periods = subjects[index].periods
            let booked = Set(periods.map(\.start))
            let own = late[subjects[index].slug, default: []].filter { booked.contains($0.booked) }.map(\.own)
            subjects[index].hours = Set(periods).union(own).sorted { $0.start < $1.start }
        }
    }

    private func send(_ subject: Subject, on database: inout Transaction) throws(PostgresError) {
        database.touch(subject.schema)
        for span in subject.hours {
            var hours = Parameters()
            hours.append(timestamp: span.start)
            hours.append(timestamp: span.end)
            hours.append(timezone)
            hours.append(subject.slug)
            try database.send(AggregateSQL.rollUp(subject.schema), hours)
        }
        if let recent {
            var parameters = Parameters()
            parameters.append(timestamp: recent)
            return try database.send(AggregateSQL.lastActivity(subject.schema), parameters)
        }
        for period in subject.periods {
            var flow = Parameters()
            flow.append(subject.slug)
            flow.append(timestamp: period.start)
            try database.send(AggregateSQL.flowDifference(subject.schema), flow)
        }
        var gauges = Parameters()
        gauges.append(subject.slug)
        try database.send(AggregateSQL.gaugeDifference(subject.schema), gauges)
    }

    private static func flow(_ rows: Rows) -> UsageCounts {
        var counts = UsageCounts()
        counts.messages = rows.int(0, 0)
        counts.conversations = rows.int(0, 1)
        counts.activeUsers = rows.int(0, 2)
        counts.tokens = rows.int(0, 3)
        return counts
    }

    private static func gauges(_ rows: Rows) -> UsageCounts {
        var counts = UsageCounts()
        counts.documents = rows.int(0, 0)
        counts.corpusBytes = rows.int(0, 1)
        return counts
    }
}
