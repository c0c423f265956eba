internal import Glibc

/// One reader under fuzzing: what it does with an input, what must hold of the outcome, and what the work may cost.
struct FuzzTarget: Sendable {
    let name: String
    /// The work that is measured. It says how many bytes it yields, where the contract lets them be more than the input's.
    let read: @Sendable ([UInt8]) -> Int
    /// What must hold; not measured.
    let check: @Sendable ([UInt8]) -> Void

    init(_ name: String, read: @escaping @Sendable ([UInt8]) -> Int, check: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.read = read
        self.check = check
    }

    static let all: [FuzzTarget] = [json, payload, conversation, instant, base64, table, properties, redaction] + documents

    /// An input with parts to repeat is read in two sizes, sixteen times apart.
    private static let smallBytes = 8 << 10
    private static let largeBytes = 128 << 10

    func run(_ input: [UInt8]) {
        guard let growing = GrowingInput(input) else {
            _ = measure(input)
            return check(input)
        }
        let small = growing.grown(toBytes: Self.smallBytes)
        let large = growing.grown(toBytes: Self.largeBytes)
        if measure(large).complaint(against: measure(small)) != nil {
            insist { measureBest(large).complaint(against: measureBest(small)) }
        }
        check(small)
    }

    /// The cost of an input in many sizes, for whoever looks into a finding.
    func printCosts(_ input: [UInt8]) {
        guard let growing = GrowingInput(input) else { return print(measureBest(input)) }
        for kibibytes in [4, 8, 16, 32, 64, 128, 256] { print(measureBest(growing.grown(toBytes: kibibytes << 10))) }
    }

    private func measure(_ input: [UInt8]) -> Cost {
        let cost = CostMeter.measure(input, read)
        guard cost.complaint != nil else { return cost }
        var best = cost
        insist {
            best = measureBest(input)
            return best.complaint
        }
        return best
    }

    /// Ends the program if there is a complaint each time. A machine that is shared can be slow for seconds on end, and its clocks count
    /// that as the thread's own time.
    private func insist(_ complaint: () -> String?) {
        var last = ""
        for attempt in 0..<5 {
            sleep(UInt32(attempt))
            guard let found = complaint() else { return }
            last = found
        }
        fatalError("\(name): \(last)")
    }

    /// The best of several times: the others were disturbed.
    private func measureBest(_ input: [UInt8]) -> Cost {
        (0..<3).map { _ in CostMeter.measure(input, read) }.min { $0.nanoseconds < $1.nanoseconds }!
    }
}

/// Stops where something does not hold; libFuzzer keeps the input.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
