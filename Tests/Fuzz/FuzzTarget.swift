/// One reader under fuzzing: what it does with an input, what must hold of the outcome, and what the work may cost.
struct FuzzTarget: Sendable {
    let name: String
    /// The work that is measured.
    let read: @Sendable ([UInt8]) -> Void
    /// What must hold; not measured.
    let check: @Sendable ([UInt8]) -> Void
    let bounds: CostBounds

    init(
        _ name: String, bounds: CostBounds = CostBounds(), read: @escaping @Sendable ([UInt8]) -> Void,
        check: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.read = read
        self.check = check
        self.bounds = bounds
    }

    static let all: [FuzzTarget] = [json, payload, conversation, instant, base64, table, properties] + documents

    /// An input that a reader may have difficulties with is read in two sizes, eight times apart.
    private static let smallBytes = 8 << 10
    private static let largeBytes = 64 << 10

    func run(_ input: [UInt8]) {
        guard let growing = GrowingInput(input) else {
            measure(input)
            return check(input)
        }
        let small = growing.grown(toBytes: Self.smallBytes)
        let large = growing.grown(toBytes: Self.largeBytes)
        let smallCost = measure(small)
        let largeCost = measure(large)
        if let complaint = bounds.complaint(small: smallCost, large: largeCost) {
            let again = bounds.complaint(
                small: CostMeter.measureBest(of: 3) { read(small) }, large: CostMeter.measureBest(of: 3) { read(large) })
            if again != nil { fail(complaint) }
        }
        check(small)
    }

    @discardableResult
    private func measure(_ input: [UInt8]) -> Cost {
        let cost = CostMeter.measure { read(input) }
        guard bounds.complaint(cost, inputBytes: input.count) != nil else { return cost }
        let best = CostMeter.measureBest(of: 3) { read(input) }
        if let complaint = bounds.complaint(best, inputBytes: input.count) { fail(complaint) }
        return best
    }

    private func fail(_ complaint: String) -> Never { fatalError("\(name): \(complaint)") }
}

/// What reading may cost, in proportion to the input. Generous, because a sanitized build on a busy machine is slow: what is meant to be found
/// is out of any proportion.
struct CostBounds: Sendable {
    var freeNanoseconds = 200_000_000
    var nanosecondsPerByte = 8_000
    var freeBytes = 4 << 20
    var peakBytesPerByte = 256
    var allocatedBytesPerByte = 4_096

    func complaint(_ cost: Cost, inputBytes: Int) -> String? {
        if cost.nanoseconds > freeNanoseconds + nanosecondsPerByte * inputBytes {
            return "\(inputBytes) bytes took \(cost.nanoseconds / 1_000_000) ms of processor time"
        }
        if cost.peakBytes > freeBytes + peakBytesPerByte * inputBytes {
            return "\(inputBytes) bytes took \(cost.peakBytes) bytes of memory"
        }
        if cost.allocatedBytes > freeBytes + allocatedBytesPerByte * inputBytes {
            return "for \(inputBytes) bytes \(cost.allocatedBytes) bytes were allocated in all"
        }
        return nil
    }

    /// The large input has eight times the repetitions of the small one: eight times the cost is proportion, sixty-four times is the square.
    func complaint(small: Cost, large: Cost) -> String? {
        if large.nanoseconds > 30_000_000, large.nanoseconds > 24 * max(small.nanoseconds, 100_000) {
            return
                "eight times the input took \(small.nanoseconds / 1_000) µs, then \(large.nanoseconds / 1_000) µs of processor time"
        }
        if large.allocatedBytes > 4 << 20, large.allocatedBytes > 24 * max(small.allocatedBytes, 4_096) {
            return "eight times the input allocated \(small.allocatedBytes) bytes, then \(large.allocatedBytes) bytes in all"
        }
        if large.peakBytes > 4 << 20, large.peakBytes > 24 * max(small.peakBytes, 4_096) {
            return "eight times the input took \(small.peakBytes) bytes, then \(large.peakBytes) bytes of memory"
        }
        return nil
    }
}

/// Stops where something does not hold; libFuzzer keeps the input.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
