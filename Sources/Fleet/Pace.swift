/// How many jobs a lane clears in a second, and so how many it should have in hand: enough that it never waits for the broker, and no more, so that
/// other workers get theirs.
struct Pace {
    /// What a lane begins with: a batch of it tells enough.
    static let first = 100
    static let least = 10
    /// A change costs a round trip for each queue: it has to be worth it, and not too often.
    private static let worthFactor = 2.0
    private static let intervalSeconds = 0.25

    private let most: Int
    private let extra: Int
    private var jobsPerSecond = 0.0
    private var changedAt = -Double.infinity

    /// - Parameters:
    ///   - most: what a lane has in hand at most.
    ///   - extra: what is in hand besides, since it goes on apart.
    init(most: Int, extra: Int) {
        self.most = most
        self.extra = extra
    }

    var first: Int { min(most, Self.first) + extra }

    /// Notes a batch that is through.
    mutating func note(jobs: Int, seconds: Double) {
        let measured = Double(jobs) / max(seconds, 0.000_1)
        jobsPerSecond = jobsPerSecond > 0 ? (jobsPerSecond + measured) / 2 : measured
    }

    /// What the prefetch should be, if that is worth a change.
    mutating func change(from current: Int, now: Double) -> Int? {
        guard jobsPerSecond > 0, now - changedAt > Self.intervalSeconds else { return nil }
        let wanted = min(most, max(Self.least, Int(min(jobsPerSecond, 1e6)))) + extra
        let ratio = Double(wanted) / Double(current)
        guard ratio > Self.worthFactor || ratio < 1 / Self.worthFactor else { return nil }
        changedAt = now
        return wanted
    }
}
