/// How many jobs a lane clears in a second, and so how many it should have in hand: those that it works at, and as many that are read meanwhile, so that
/// it never waits for the broker; and no more, so that other workers get theirs.
struct Pace {
    /// What a lane begins with: a batch of it tells enough.
    static let first = 100
    static let least = 10
    /// A change costs a round trip for each queue: it has to be worth it, and not too often.
    private static let worthFactor = 2.0
    private static let intervalSeconds = 0.25
    /// With the work of one second alone, batches are smaller than they may be, and a tenant's statements are shared by fewer jobs: a worker of eight
    /// lanes then takes a quarter more of its processor for the same jobs.
    private static let secondsInHand = 2.0

    /// A batch that held most of what could be in hand, and was through so soon, was too small to tell how many more would have taken no longer.
    private static let soonSeconds = 0.25
    private static let growth = 4

    private let most: Int
    private let extra: Int
    private var jobsPerSecond = 0.0
    /// The last batch's jobs, if it was through soon.
    private var soon = 0
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
        soon = seconds < Self.soonSeconds ? jobs : 0
        let measured = Double(jobs) / max(seconds, 0.000_1)
        jobsPerSecond = jobsPerSecond > 0 ? (jobsPerSecond + measured) / 2 : measured
    }

    /// What the prefetch should be, if that is worth a change.
    mutating func change(from current: Int, now: Double) -> Int? {
        guard jobsPerSecond > 0 else { return nil }
        let room = max(1, current - extra)
        var jobs = Int(min(jobsPerSecond * Self.secondsInHand, 1e6))
        let isTooSmall = soon * 2 >= room
        if isTooSmall { jobs = max(jobs, room * Self.growth) }
        let wanted = min(most, max(Self.least, jobs)) + extra
        let ratio = Double(wanted) / Double(current)
        guard
            ratio > Self.worthFactor && (isTooSmall || now - changedAt > Self.intervalSeconds)
                || ratio < 1 / Self.worthFactor && now - changedAt > Self.intervalSeconds
        else { return nil }
        changedAt = now
        return wanted
    }
}
