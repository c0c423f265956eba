internal import Testing

@testable internal import Metering

/// A threshold is crossed when the value reaches it.
@Suite struct ThresholdTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let limit: Int64?
        let value: Int64
        let crossed: [Int]
        let next: Int64?
        var percents = [50, 75, 80, 90, 100]

        var testDescription: String { "\(value) of \(limit.map { String($0) } ?? "unlimited")" }
    }

    static let cases = [
        Case(limit: 100, value: 0, crossed: [], next: 50), Case(limit: 100, value: 49, crossed: [], next: 50),
        Case(limit: 100, value: 50, crossed: [50], next: 75), Case(limit: 100, value: 51, crossed: [50], next: 75),
        Case(limit: 100, value: 79, crossed: [50, 75], next: 80),
        Case(limit: 100, value: 99, crossed: [50, 75, 80, 90], next: 100),
        Case(limit: 100, value: 100, crossed: [50, 75, 80, 90, 100], next: 200),
        Case(limit: 100, value: 199, crossed: [50, 75, 80, 90, 100], next: 200),
        Case(limit: 100, value: 200, crossed: [50, 75, 80, 90, 100, 200], next: 300),
        Case(limit: 100, value: 399, crossed: [50, 75, 80, 90, 100, 200, 300], next: 400),
        // Rounded up: half of 5 is reached with 3, 80 % of 3 with 3.
        Case(limit: 5, value: 2, crossed: [], next: 3), Case(limit: 5, value: 3, crossed: [50], next: 4),
        Case(limit: 3, value: 2, crossed: [50], next: 3), Case(limit: 3, value: 3, crossed: [50, 75, 80, 90, 100], next: 6),
        Case(limit: 1, value: 0, crossed: [], next: 1), Case(limit: 1, value: 1, crossed: [50, 75, 80, 90, 100], next: 2),
        Case(limit: 0, value: 0, crossed: [], next: 1), Case(limit: 0, value: 1, crossed: [50, 75, 80, 90, 100], next: nil),
        Case(limit: 0, value: .max, crossed: [50, 75, 80, 90, 100], next: nil),
        Case(limit: nil, value: 0, crossed: [], next: nil), Case(limit: nil, value: .max, crossed: [], next: nil),
        Case(limit: 100, value: -1, crossed: [], next: 50),
        Case(limit: .max, value: .max, crossed: [50, 75, 80, 90, 100], next: nil),
        Case(limit: .max, value: .max / 2, crossed: [], next: .max / 2 + 1),
        Case(limit: .max / 2, value: .max, crossed: [50, 75, 80, 90, 100, 200], next: nil),
        Case(limit: 100, value: 100, crossed: [100], next: 200, percents: [100]),
        Case(limit: 100, value: 120, crossed: [10], next: 200, percents: [10]),
        Case(limit: 100, value: 10, crossed: [10], next: 90, percents: [90, 10, 10]),
    ]

    @Test("Every threshold that the value has reached is crossed, and the next is known", arguments: cases)
    func crossed(_ example: Case) {
        let thresholds = Thresholds(percents: example.percents, limit: example.limit)
        #expect(thresholds.crossed(by: example.value) == example.crossed)
        #expect(thresholds.nextValue(after: example.value) == example.next)
    }

    @Test("A value beyond all measure makes a bounded number of alerts")
    func bounded() {
        let thresholds = Thresholds(percents: [50, 100], limit: 1)
        let crossed = thresholds.crossed(by: .max)
        #expect(crossed.count <= Thresholds.mostFurther + 2)
        #expect(thresholds.nextValue(after: .max) == nil)
    }

    @Test(
        "The next value is the first at which another threshold is crossed",
        arguments: [1, 2, 3, 7, 10, 99, 100, 101, 12_345] as [Int64])
    func nextIsExact(limit: Int64) throws {
        let thresholds = Thresholds(percents: [1, 33, 50, 66, 75, 99, 100], limit: limit)
        var value: Int64 = 0
        for _ in 0..<20 {
            let next = try #require(thresholds.nextValue(after: value))
            #expect(next > value)
            #expect(thresholds.crossed(by: next - 1) == thresholds.crossed(by: value))
            #expect(thresholds.crossed(by: next).count > thresholds.crossed(by: value).count)
            value = next
        }
    }
}

/// What is published, given what already was.
@Suite struct AlertChangesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let crossed: [Int]
        /// Percent → whether it has been resolved.
        let known: [Int: Bool]
        var fire: [Int] = []
        var resolve: [Int] = []
    }

    static let cases = [
        Case(testDescription: "nothing crossed, nothing known", crossed: [], known: [:]),
        Case(testDescription: "a jump over several fires each", crossed: [50, 75, 100], known: [:], fire: [50, 75, 100]),
        Case(testDescription: "what has fired stays silent", crossed: [50, 75], known: [50: false], fire: [75]),
        Case(
            testDescription: "what is no longer crossed is resolved", crossed: [50], known: [50: false, 75: false, 80: false],
            resolve: [75, 80]),
        Case(testDescription: "what was resolved is not resolved again", crossed: [], known: [50: true]),
        Case(testDescription: "what was resolved and is crossed again stays silent", crossed: [50], known: [50: true]),
        Case(testDescription: "a changed list of thresholds", crossed: [60], known: [50: false], fire: [60], resolve: [50]),
    ]

    @Test("Each threshold fires at most once a period and is resolved at most once", arguments: cases)
    func changes(_ example: Case) {
        let changes = AlertChanges(crossed: example.crossed, known: example.known)
        #expect(changes.fire == example.fire)
        #expect(changes.resolve == example.resolve)
    }
}
