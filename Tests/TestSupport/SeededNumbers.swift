/// The same numbers on every run: what failed once fails again.
public struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    public init(state: UInt64) { self.state = state }

    /// A linear congruential generator (Knuth, MMIX), its weak low bits mixed with better ones.
    public mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
