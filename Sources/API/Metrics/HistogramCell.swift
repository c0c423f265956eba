internal import CoreMetrics
internal import Synchronization

/// The upper bounds of a histogram's buckets, ascending; the one to infinity comes on top of them.
struct BucketBounds: Sendable, Equatable {
    let values: [Double]

    /// Half a millisecond to five minutes, the last step of the retry ladder.
    static let seconds = BucketBounds(
        values: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 300])

    /// One to twenty thousand of something: the jobs of a batch.
    static let counts = BucketBounds(
        values: [1, 2, 4, 8, 16, 32, 64, 125, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000])

    /// The bounds that suit a metric's unit, which its name ends with.
    static func suiting(_ name: String) -> BucketBounds { name.hasSuffix("_seconds") ? .seconds : .counts }
}

/// How often values fell in which bucket, and their sum.
final class HistogramCell: Cell, RecorderHandler, TimerHandler {
    static let type = MetricType.histogram

    /// Room for the longest list of bounds and for what lies above it.
    private static let capacity = 19

    private let bounds: [Double]
    /// How many values fell into each bucket alone; cumulated when rendered, so that a value costs one addition.
    private let counts: InlineArray<19, Atomic<Int64>>
    private let sum = Atomic<UInt64>(0)

    init(_ bounds: BucketBounds) {
        precondition(bounds.values.count < Self.capacity)
        self.bounds = bounds.values
        counts = InlineArray { _ in Atomic(0) }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// NaN and infinite values are left out: the sum could never be a number again.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket].wrappingAdd(1, ordering: .relaxed)
        sum.update { $0 + value }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    /// The count is that of the last bucket, so that the two agree whatever is recorded meanwhile.
    func write(_ name: String, labels: String, to text: inout ExpositionText) {
        var total: Int64 = 0
        for bucket in 0...bounds.count {
            total += counts[bucket].load(ordering: .relaxed)
            let bound = bucket < bounds.count ? bounds[bucket] : .infinity
            text.sample("\(name)_bucket", labels: labels, bound: bound, String(total))
        }
        text.sample("\(name)_sum", labels: labels, ExpositionText.number(sum.number))
        text.sample("\(name)_count", labels: labels, String(total))
    }
}
