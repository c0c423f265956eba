/// When a delivery that failed is tried again.
enum RetrySchedule {
    private static let minute = 60.0
    private static let hour = 3_600.0

    /// Seconds after the first attempt, after the second, and so on.
    static let waits = [
        5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
    ]
    static let mostAttempts = waits.count + 1
    /// The longest wait that a receiver can ask for.
    static let longestRetryAfter = 24 * hour
    /// A wait is longer than it says by up to this part, so that what failed together does not come again together.
    static let jitter = 0.1

    /// The wait after an attempt that failed; nil: there is no further one.
    ///
    /// - Parameters:
    ///   - attempt: 1 for the first.
    ///   - retryAfter: what the receiver asks for, in seconds.
    static func wait(after attempt: Int, retryAfter: Double?, using generator: inout some RandomNumberGenerator) -> Double? {
        guard (1...waits.count).contains(attempt) else { return nil }
        let wait = waits[attempt - 1] * Double.random(in: 1...(1 + jitter), using: &generator)
        return max(wait, min(retryAfter ?? 0, longestRetryAfter))
    }
}
