internal import Contract
internal import Glibc
internal import Synchronization

/// What the outside may tell the lanes' threads: to stop, and by when. Shared by all threads of a worker.
final class LaneControl: Sendable {
    /// Readable from the moment a stop is asked for: lanes poll it beside their sockets.
    let wake: Int32
    private let waker: Int32
    private let deadlineBits = Atomic<UInt64>(Double.infinity.bitPattern)

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: errno \(errno)")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wake = ends[0]
        waker = ends[1]
    }

    deinit {
        close(wake)
        close(waker)
    }

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
        // A pipe that is full is as readable as can be.
        _ = write(waker, "!", 1)
    }

    /// Sleeps, but no longer than until a stop is asked for.
    func sleep(seconds: Double) {
        var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, Int32(seconds * 1_000))
        // Once stopping, `wake` stays readable; a short rest keeps retries from spinning until the deadline.
        if isStopping { usleep(20_000) }
    }
}
