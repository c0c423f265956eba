public import Postgres

/// A half-open billing period, `start` ≤ t < `end`. Gauges have ``always``.
public struct BillingPeriod: Sendable, Hashable {
    public let start: Timestamp
    public let end: Timestamp

    public init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// The row of a subject's gauges, which carry over from period to period.
    public static let always = BillingPeriod(start: .distantPast, end: .distantFuture)

    public func contains(_ microseconds: Int64) -> Bool {
        start.microsecondsSince1970 <= microseconds && microseconds < end.microsecondsSince1970
    }
}

/// What is added to the counters of one subject in one period.
public struct UsageBooking: Sendable {
    public let account: String
    /// nil: on the account's pool alone.
    public let tenant: String?
    public let period: BillingPeriod
    public var counts: UsageCounts

    public init(account: String, tenant: String?, period: BillingPeriod, counts: UsageCounts) {
        self.account = account
        self.tenant = tenant
        self.period = period
        self.counts = counts
    }
}

/// Which row of counters: an account's pool or a tenant, and the period.
struct CounterKey: Hashable, Sendable {
    let account: String
    /// nil: the account's pool.
    let tenant: String?
    let periodStart: Timestamp
}

extension CounterKey {
    init(_ booking: UsageBooking) {
        self.init(account: booking.account, tenant: booking.tenant, periodStart: booking.period.start)
    }

    /// What the row is found by beside its period.
    var owner: String { tenant ?? account }
}
