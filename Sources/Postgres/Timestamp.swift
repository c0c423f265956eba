/// A moment, in microseconds since 1970-01-01T00:00:00Z; PostgreSQL's `timestamptz`.
///
/// The ends of the range are PostgreSQL's `-infinity` and `infinity`.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var microsecondsSince1970: Int64

    /// `-infinity`
    public static let distantPast = Timestamp(microsecondsSince1970: .min)
    /// `infinity`
    public static let distantFuture = Timestamp(microsecondsSince1970: .max)

    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    /// Whole seconds since 1970; seconds out of range give `distantPast` or `distantFuture`.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microsecondsSince1970 = overflow ? (seconds < 0 ? .min : .max) : product
    }

    public var isFinite: Bool { self != .distantPast && self != .distantFuture }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }
}

extension Timestamp {
    /// 2000-01-01T00:00:00Z, from which PostgreSQL counts on the wire.
    private static let epochMicroseconds: Int64 = 946_684_800_000_000

    init(wire: Int64) {
        // What lies beyond Int64 here, after the year 294246, becomes infinity.
        let (sum, overflow) = wire.addingReportingOverflow(Self.epochMicroseconds)
        microsecondsSince1970 = wire == .min ? .min : (overflow ? .max : sum)
    }

    var wire: Int64 {
        guard isFinite else { return microsecondsSince1970 }
        let (difference, overflow) = microsecondsSince1970.subtractingReportingOverflow(Self.epochMicroseconds)
        return overflow ? .min : difference
    }
}
