internal import TestSupport
internal import Testing

@testable internal import Billing

@Suite("An amount dealt out in proportion") struct AllotmentTests {
    @Test(
        "the parts sum to it; what is left goes to the largest remainders, and of equal ones to the first",
        arguments: [
            (100, [1, 1, 1], [34, 33, 33]), (101, [1, 1, 1], [34, 34, 33]), (200, [1_000, 700, 300], [100, 70, 30]),
            // 3.33, 3.33, 3.33 of 10; 0.5 and 0.5 of 1; 6.6, 2.4 of 9.
            (10, [5, 5, 5], [4, 3, 3]), (1, [7, 7], [1, 0]), (9, [11, 4], [7, 2]),
            (0, [3, 4], [0, 0]), (7, [0, 2], [0, 7]), (7, [], []), (0, [0, 0], [0, 0]),
            (.max, [.max, .max], [4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
        ] as [(Int64, [Int64], [Int64])])
    func table(_ amount: Int64, _ weights: [Int64], _ parts: [Int64]) {
        #expect(Allotment.parts(of: amount, by: weights) == parts)
    }

    @Test("whatever the weights: the parts sum to the amount, and none is further than a unit from its share")
    func always() {
        var random = SeededNumbers(state: 20_261_126)
        for _ in 0..<500 {
            let weights =
                (0..<Int.random(in: 1...40, using: &random)).map { _ in Int64.random(in: 0...1_000, using: &random) } + [1]
            let amount = Int64.random(in: 0...1_000_000, using: &random)
            let parts = Allotment.parts(of: amount, by: weights)
            #expect(parts.reduce(0, +) == amount, "\(amount) by \(weights)")
            let sum = weights.reduce(0, +)
            for (part, weight) in zip(parts, weights) {
                #expect(abs(part * sum - amount * weight) < sum, "\(amount) by \(weights)")
            }
        }
    }
}
