internal import CoreMetrics
internal import Synchronization

/// The `# TYPE` of a family of series.
enum MetricType: String, Sendable {
    case counter, gauge, histogram

    /// The names of the samples a family of that name writes; no other family may write one of them.
    func sampleNames(_ name: String) -> [String] {
        self == .histogram ? [name, "\(name)_bucket", "\(name)_count", "\(name)_sum"] : [name]
    }
}

/// The storage of one series: written by lanes without a lock, read by the renderer.
///
/// Relaxed atomics are enough: each number stands for itself, and no other memory is published through it.
protocol Cell: AnyObject, Sendable {
    static var type: MetricType { get }
    func write(_ name: String, labels: String, to text: inout ExpositionText)
}

extension Atomic where Value == UInt64 {
    /// Replaces the number whose bits these are by `change` of it.
    func update(_ change: (Double) -> Double) {
        var bits = load(ordering: .relaxed)
        while true {
            let wanted = change(Double(bitPattern: bits)).bitPattern
            let (exchanged, found) = weakCompareExchange(expected: bits, desired: wanted, ordering: .relaxed)
            if exchanged { return }
            bits = found
        }
    }

    var number: Double { Double(bitPattern: load(ordering: .relaxed)) }
}

/// A number that only rises. Whole steps are counted exactly, apart from the fractional ones.
final class CounterCell: Cell, CounterHandler, FloatingPointCounterHandler {
    static let type = MetricType.counter

    private let whole = Atomic<Int64>(0)
    private let fractional = Atomic<UInt64>(0)

    /// A negative amount is ignored: Prometheus reads a falling counter as a restart.
    func increment(by amount: Int64) {
        if amount > 0 { whole.wrappingAdd(amount, ordering: .relaxed) }
    }

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { fractional.update { $0 + amount } }
    }

    /// Brings a counter kept elsewhere up to date; of two readers the later value wins.
    func raise(to value: Double) {
        fractional.update { max($0, value) }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fractional.store(0, ordering: .relaxed)
    }

    func write(_ name: String, labels: String, to text: inout ExpositionText) {
        let steps = whole.load(ordering: .relaxed)
        let rest = fractional.number
        text.sample(name, labels: labels, rest == 0 ? String(steps) : ExpositionText.number(Double(steps) + rest))
    }
}

/// A number that rises and falls.
final class GaugeCell: Cell, MeterHandler, RecorderHandler {
    static let type = MetricType.gauge

    private let bits = Atomic<UInt64>(0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func increment(by amount: Double) { bits.update { $0 + amount } }
    func decrement(by amount: Double) { bits.update { $0 - amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, labels: String, to text: inout ExpositionText) {
        text.sample(name, labels: labels, ExpositionText.number(bits.number))
    }
}
