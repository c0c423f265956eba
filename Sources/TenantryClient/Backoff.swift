/// Waits between attempts to reach a broker that is away: doubling from 0.1 s to 10 s, each with jitter, so that clients do not
/// all come back at once.
struct Backoff {
    private static let baseSeconds = 0.1
    private static let limitSeconds = 10.0
    private var failures = 0

    /// Half to all of the next wait, drawn at random.
    mutating func nextSeconds() -> Double {
        let ceiling = min(Self.limitSeconds, Self.baseSeconds * Double(1 << min(failures, 20)))
        failures += 1
        return Double.random(in: ceiling / 2...ceiling)
    }
}
