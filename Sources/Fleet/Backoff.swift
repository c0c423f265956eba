/// Waits between attempts to reach a server that is away: doubling from the base to the limit, each with jitter, so that a
/// fleet does not come back all at once.
struct Backoff {
    private let baseSeconds: Double
    private let limitSeconds: Double
    private var failures = 0

    init(baseSeconds: Double = 0.1, limitSeconds: Double = 10) {
        self.baseSeconds = baseSeconds
        self.limitSeconds = limitSeconds
    }

    /// Half to all of the next wait, drawn at random.
    mutating func nextSeconds() -> Double {
        let ceiling = min(limitSeconds, baseSeconds * Double(1 << min(failures, 20)))
        failures += 1
        return Double.random(in: ceiling / 2...ceiling)
    }

    mutating func reset() {
        failures = 0
    }
}
