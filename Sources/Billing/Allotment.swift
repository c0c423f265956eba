/// An amount, dealt out in proportion so that the parts sum to it exactly: everyone gets the whole units of their share, and what is left
/// goes, a unit each, to the largest remainders. Source: the [largest remainder method](https://en.wikipedia.org/wiki/Quota_method).
enum Allotment {
    /// - Parameters:
    ///   - amount: 0 or more.
    ///   - weights: 0 or more each. Of equal remainders the earlier one is served first.
    static func parts(of amount: Int64, by weights: [Int64]) -> [Int64] {
        let sum = weights.reduce(Int128(0)) { $0 + Int128($1) }
        guard sum > 0 else { return weights.map { _ in 0 } }
        let shares = weights.map { (Int128(amount) * Int128($0)).quotientAndRemainder(dividingBy: sum) }
        var parts = shares.map { Int64($0.quotient) }
        let left = amount - parts.reduce(0, +)
        let byRemainder = shares.indices.sorted {
            (shares[$0].remainder, $1) > (shares[$1].remainder, $0)
        }
        for index in byRemainder.prefix(Int(left)) { parts[index] += 1 }
        return parts
    }
}
