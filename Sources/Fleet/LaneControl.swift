internal import Contract
internal import Glibc
internal import Synchronization

/// What the outside may tell the lanes' threads: to stop, and by when. Shared by all threads of a worker.
final class LaneControl: Sendable {
    private let stopped = WakeUp()
    private let deadlineBits = Atomic<UInt64>(Double.infinity.bitPattern)

    /// Readable from the moment a stop is asked for: lanes poll it beside their sockets.
    var wake: Int32 { stopped.descriptor }
    var isStopping: Bool { deadline.isFinite }
    /// Whether the time to drain is over.
    var isOverdue: Bool { isOverdue(bySeconds: 0) }

    func isOverdue(bySeconds seconds: Double) -> Bool { SystemClock.monotonicSeconds() > deadline + seconds }

    private var deadline: Double { Double(bitPattern: deadlineBits.load(ordering: .acquiring)) }

    /// Asks all lanes to finish what is in hand within `seconds`. Later calls change nothing.
    func stop(withinSeconds seconds: Double) {
        let deadline = SystemClock.monotonicSeconds() + seconds
        let none = Double.infinity.bitPattern
        _ = deadlineBits.compareExchange(expected: none, desired: deadline.bitPattern, ordering: .acquiringAndReleasing)
        stopped.send()
    }

    /// Sleeps, but no longer than until a stop is asked for.
    func sleep(seconds: Double) {
        var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, Int32(seconds * 1_000))
        // Once stopping, `wake` stays readable; a short rest keeps retries from spinning until the deadline.
        if isStopping { usleep(20_000) }
    }
}
