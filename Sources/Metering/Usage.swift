public import Contract
public import Postgres

/// What one committed effect adds to a subject's usage; gauges may also go down.
public struct UsageCounts: Sendable, Equatable {
    public var messages: Int64 = 0
    public var conversations: Int64 = 0
    public var activeUsers: Int64 = 0
    public var tokens: Int64 = 0
    public var childTenants: Int64 = 0
    public var documents: Int64 = 0
    public var corpusBytes: Int64 = 0

    public init() {}

    public subscript(_ metric: Metric) -> Int64 {
        get { self[keyPath: Self.path(metric)] }
        set { self[keyPath: Self.path(metric)] = newValue }
    }

    private static func path(_ metric: Metric) -> any WritableKeyPath<UsageCounts, Int64> & Sendable {
        switch metric {
        case .messages: \.messages
        case .conversations: \.conversations
        case .activeUsers: \.activeUsers
        case .tokens: \.tokens
        case .childTenants: \.childTenants
        case .documents: \.documents
        case .corpusBytes: \.corpusBytes
        }
    }

    public static func += (left: inout UsageCounts, right: UsageCounts) {
        left.messages += right.messages
        left.conversations += right.conversations
        left.activeUsers += right.activeUsers
        left.tokens += right.tokens
        left.childTenants += right.childTenants
        left.documents += right.documents
        left.corpusBytes += right.corpusBytes
    }

    var isZero: Bool { self == UsageCounts() }
    /// Something went down, so a threshold may no longer be crossed.
    var hasDecrease: Bool { Metric.allCases.contains { self[$0] < 0 } }
}

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

/// One subject's usage in one period, to be booked.
public struct Usage: Sendable {
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
