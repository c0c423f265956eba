public import Contract
public import Postgres

/// A number for each metric: what one committed effect adds to a subject's usage. Gauges may also go down.
///
/// The numbers lie side by side in the value itself: lanes make thousands of these a second, and none costs an allocation.
public struct UsageCounts: Sendable {
    /// Room for as many metrics.
    static let capacity = 16

    /// By ``Metric/place``; what lies beyond the metrics stays 0.
    @usableFromInline
    var values: InlineArray<16, Int64>

    @inlinable
    public init() {
        values = InlineArray(repeating: 0)
    }

    @inlinable
    public subscript(_ metric: Metric) -> Int64 {
        get { values[metric.place] }
        set { values[metric.place] = newValue }
    }

    public static func += (left: inout UsageCounts, right: UsageCounts) {
        for place in left.values.indices { left.values[place] += right.values[place] }
    }

    /// What takes it away again.
    public static prefix func - (counts: UsageCounts) -> UsageCounts {
        var negated = UsageCounts()
        for place in counts.values.indices { negated.values[place] = -counts.values[place] }
        return negated
    }

    public var isZero: Bool { self == UsageCounts() }

    /// Something goes up, so it may go beyond a limit.
    public var hasIncrease: Bool {
        for place in values.indices where values[place] > 0 { return true }
        return false
    }

    /// Something went down, so a threshold may no longer be crossed.
    var hasDecrease: Bool {
        for place in values.indices where values[place] < 0 { return true }
        return false
    }
}

extension UsageCounts: Equatable {
    public static func == (left: UsageCounts, right: UsageCounts) -> Bool {
        for place in left.values.indices where left.values[place] != right.values[place] { return false }
        return true
    }
}

extension UsageCounts: ExpressibleByDictionaryLiteral {
    /// `[.documents: 1, .corpusBytes: 2_048]`
    public init(dictionaryLiteral elements: (Metric, Int64)...) {
        self.init()
        for (metric, number) in elements { self[metric] = number }
    }
}

extension UsageCounts: ColumnValue {
    /// Reads the `int8[]` that ``Metric/counts(_:)`` makes.
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> UsageCounts {
        let numbers = [Int64].read(rows, row, column)
        precondition(numbers.count == Metric.allCases.count, "\(numbers.count) numbers for \(Metric.allCases.count) metrics")
        var counts = UsageCounts()
        for (metric, number) in zip(Metric.allCases, numbers) { counts[metric] = number }
        return counts
    }
}
