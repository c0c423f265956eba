/// How much JSON is read before reading stops, so that little input cannot ask for much work.
public struct JSONBudget: Sendable, Equatable {
    /// Containers within containers that any reader here can pass over: their kinds stand in the bits of a 64-bit word.
    static let mostDepth = 64

    /// Containers within containers, 1 to 64; the outermost counts.
    let depth: Int
    /// Values of all kinds, containers among them; the outermost counts.
    let values: Int

    init(depth: Int, values: Int) {
        precondition((1...Self.mostDepth).contains(depth), "a reader's depth is 1 to \(Self.mostDepth)")
        self.depth = depth
        self.values = values
    }

    /// What a job's body may hold (contract, section 2).
    public static let payload = JSONBudget(depth: 32, values: 100_000)
    /// For JSON that was written by us, or whose length is bounded by whoever reads it.
    public static let stored = JSONBudget(depth: mostDepth, values: .max)

    /// A bound of the two that was passed.
    enum Bound: Sendable {
        case depth, values
    }
}
