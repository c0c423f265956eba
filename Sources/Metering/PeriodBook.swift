public import Postgres

/// Remembers which billing period a moment lies in, for each time zone and anchor day. PostgreSQL decides; this only asks once.
public struct PeriodBook {
    /// What makes the periods of an account.
    public struct Calendar: Hashable, Sendable {
        public let timezone: String
        public let anchorDay: Int64

        public init(timezone: String, anchorDay: Int64) {
            self.timezone = timezone
            self.anchorDay = anchorDay
        }
    }

    private var periods: [Calendar: [BillingPeriod]] = [:]

    public init() {}

    /// No period contains a moment, although periods follow each other without a gap: the database's own function is broken.
    public struct Missing: Error, CustomStringConvertible {
        public let description: String
    }

    /// The period of a moment (microseconds since 1970), if it is remembered.
    public func period(of microseconds: Int64, in calendar: Calendar) -> BillingPeriod? {
        periods[calendar]?.last { $0.contains(microseconds) }
    }

    /// As the other one; what is not remembered is asked for.
    ///
    /// - Throws: `PostgresError`; ``Missing``.
    public mutating func period(
        of microseconds: Int64, in calendar: Calendar, on database: inout some Queryable & ~Copyable
    ) throws -> BillingPeriod {
        if let period = period(of: microseconds, in: calendar) { return period }
        try learn([(calendar, microseconds)], on: &database)
        guard let period = period(of: microseconds, in: calendar) else {
            throw Missing(description: "no billing period contains \(microseconds) in \(calendar)")
        }
        return period
    }

    /// Asks for the periods of moments that are not remembered.
    public mutating func learn(
        _ moments: [(calendar: Calendar, microseconds: Int64)], on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        guard !moments.isEmpty else { return }
        // A flood of strange dates must not grow the book without bound.
        if periods.values.reduce(0, { $0 + $1.count }) > 10_000 { periods.removeAll() }
        let learnt = try database.query(
            SQL.periods, moments.map(\.calendar.timezone), moments.map(\.calendar.anchorDay),
            moments.map { Timestamp(microsecondsSince1970: $0.microseconds) }
        ).decode { (timezone: String, anchorDay: Int64, start: Timestamp, end: Timestamp) in
            (Calendar(timezone: timezone, anchorDay: anchorDay), BillingPeriod(start: start, end: end))
        }
        for (calendar, period) in learnt where periods[calendar]?.contains(period) != true {
            periods[calendar, default: []].append(period)
        }
    }

    enum SQL {
        static let periods: Statement = """
            select distinct m.zone, m.anchor, p.period_start, p.period_end
            from unnest($1::text[], $2::int8[], $3::timestamptz[]) as m (zone, anchor, at)
            cross join lateral tenantry.period(m.at, m.zone, m.anchor::int) p
            """
    }
}
