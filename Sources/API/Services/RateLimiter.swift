internal import Contract
internal import Synchronization

/// Requests that a credential, or an address without one, may make in a minute. Counted by each process for itself.
final class RateLimiter: Sendable {
    struct Window {
        var endsAt: Double
        var used: Int
    }

    /// What is left after a request was counted.
    struct Verdict {
        let isAllowed: Bool
        let remaining: Int
        /// Until the window ends.
        let seconds: Int
    }

    static let windowSeconds = 60.0
    /// Windows kept before those that are over are dropped.
    private static let mostWindows = 50_000

    let perMinute: Int
    private let windows = Mutex<[String: Window]>([:])

    init(perMinute: Int) {
        self.perMinute = perMinute
    }

    /// Whether the next request would be one too many; counts nothing.
    func isSpent(_ subject: String) -> Bool {
        let now = SystemClock.monotonicSeconds()
        return windows.withLock { windows in
            guard let window = windows[subject], window.endsAt > now else { return false }
            return window.used >= perMinute
        }
    }

    /// Counts a request.
    func count(_ subject: String) -> Verdict {
        let now = SystemClock.monotonicSeconds()
        return windows.withLock { windows in
            if windows.count >= Self.mostWindows {
                windows = windows.filter { $0.value.endsAt > now }
                // So many at once: nobody is known well enough to be refused.
                if windows.count >= Self.mostWindows { windows.removeAll() }
            }
            var window = windows[subject] ?? Window(endsAt: now + Self.windowSeconds, used: 0)
            if window.endsAt <= now { window = Window(endsAt: now + Self.windowSeconds, used: 0) }
            window.used += 1
            windows[subject] = window
            return Verdict(
                isAllowed: window.used <= perMinute, remaining: max(0, perMinute - window.used),
                seconds: max(1, Int((window.endsAt - now).rounded(.up))))
        }
    }
}
