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

    /// The period of a moment (microseconds since 1970), if it is remembered.
    public func period(of microseconds: Int64, in calendar: Calendar) -> BillingPeriod? {
        periods[calendar]?.last { $0.contains(microseconds) }
    }

    /// Asks for the periods of moments that are not remembered.
    public mutating func learn(
        _ moments: [(calendar: Calendar, microseconds: Int64)], on database: inout some Queryable & ~Copyable
    )
        throws(PostgresError)
    {
        guard !moments.isEmpty else { return }
        // A flood of strange dates must not grow the book without bound.
        if periods.values.reduce(0, { $0 + $1.count }) > 10_000 { periods.removeAll() }
        var parameters = Parameters()
        parameters.append(moments.map(\.calendar.timezone))
        parameters.append(moments.map(\.calendar.anchorDay))
        parameters.append(timestamps: moments.map { Timestamp(microsecondsSince1970: $0.microseconds) })
        let rows = try database.query(SQL.periods, parameters)
        for row in 0..<rows.count {
            let calendar = Calendar(timezone: rows.text(row, 0), anchorDay: rows.int(row, 1))
            let period = BillingPeriod(start: rows.timestamp(row, 2), end: rows.timestamp(row, 3))
            if periods[calendar]?.contains(period) != true { periods[calendar, default: []].append(period) }
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
