public import Metering
public import Postgres

/// What a metric comes to by the end of its period, and when it reaches its limit, if all goes on at the period's pace so far.
///
/// The pace is the value over the time since the period began. In the first day of a period it is the value over a whole day: a few minutes say
/// little of a month, and a morning's burst is not taken for what every hour brings. So the projection is cautious at first,
/// and has no step when the day is over. What is measured and not counted (documents, say) has no pace: its projection is its value.
public struct UsageOutlook: Sendable, Equatable {
    /// At the end of the period; of a period that is over, what was used; of one that has not begun, what is there.
    public let projection: Int64
    /// The time at which the limit is reached at this pace, or was, where that is known. nil: not in this period, or nobody knows when it was.
    public let reachedAt: Timestamp?

    /// A pace is not measured over less: microseconds of a day.
    private static let leastMicroseconds: Double = 86_400_000_000

    /// - Parameter breachedAt: when the limit was reached, if that is known.
    public init(value: Int64, limit: Int64?, breachedAt: Timestamp?, period: BillingPeriod, isGauge: Bool, now: Timestamp) {
        let isPresent = period.start <= now && now < period.end
        var projection = value
        var expected: Timestamp?
        if isPresent, !isGauge, value > 0 {
            let passed = Double(now.microsecondsSince1970 - period.start.microsecondsSince1970)
            let left = Double(period.end.microsecondsSince1970 - now.microsecondsSince1970)
            let pace = Double(value) / max(passed, Self.leastMicroseconds)
            let (sum, isTooMuch) = value.addingReportingOverflow(Int64(exactly: (pace * left).rounded()) ?? .max)
            projection = isTooMuch ? .max : sum
            if let limit, limit > value, limit <= projection {
                let wait = (Double(limit - value) / pace).rounded(.up)
                expected = Timestamp(microsecondsSince1970: now.microsecondsSince1970 + Int64(min(wait, left)))
            }
        }
        self.projection = projection
        if let limit, value >= limit {
            reachedAt = breachedAt
        } else {
            // The very end is not in the period any more.
            reachedAt = expected.flatMap { $0 < period.end ? $0 : nil }
        }
    }
}
