/// The steps that a job which could not be done now waits on, before it is tried again.
public struct RetryLadder: Sendable, Equatable {
    /// The waits before the second, third, … attempt, in milliseconds, ascending.
    public let delaysMilliseconds: [Int64]
    /// How many of the steps a job takes whose tenant is not there (yet).
    public let stepsForMissingTenant: Int

    /// One second, five, thirty, five minutes; three of them for a missing tenant.
    public init(delaysMilliseconds: [Int64] = [1_000, 5_000, 30_000, 300_000], stepsForMissingTenant: Int = 3) {
        self.delaysMilliseconds = delaysMilliseconds
        self.stepsForMissingTenant = stepsForMissingTenant
    }

    public enum Reason: Sendable {
        case failed
        case notYet
    }

    public enum Step: Sendable, Equatable {
        /// Wait so long, then try again as attempt `attempt`.
        case wait(delayMilliseconds: Int64, attempt: Int64)
        /// The last rung is behind it.
        case giveUp
    }

    /// What follows for a job that has just made its attempt number `attempt` (from 1).
    public func step(afterAttempt attempt: Int64, reason: Reason) -> Step {
        let steps = reason == .notYet ? min(stepsForMissingTenant, delaysMilliseconds.count) : delaysMilliseconds.count
        guard attempt >= 1, attempt <= steps else { return .giveUp }
        return .wait(delayMilliseconds: delaysMilliseconds[Int(attempt) - 1], attempt: attempt + 1)
    }

    /// The shortest wait of at least so long, or else the longest; nil if there is none at all.
    func delayMilliseconds(atLeast milliseconds: Int64) -> Int64? {
        delaysMilliseconds.first { $0 >= milliseconds } ?? delaysMilliseconds.last
    }
}
