internal import CSanitizer
internal import Glibc

/// What a piece of work took of the thread that did it.
struct Cost {
    /// Time on the processor, not on the clock: other programs on the machine don't count.
    var nanoseconds: Int
    /// The most that was allocated at once.
    var peakBytes: Int
    /// All that was allocated, together; the same in every run, however fast the machine is.
    var allocatedBytes: Int
}

// Written by the allocator's hooks, which may not allocate: plain globals. Only the thread that runs the target allocates while it is measured.
nonisolated(unsafe) private var isMeasuring = false
nonisolated(unsafe) private var liveBytes = 0
nonisolated(unsafe) private var peakBytes = 0
nonisolated(unsafe) private var allocatedBytes = 0

enum CostMeter {
    /// To be called once, before anything is measured.
    static func install() {
        let count = __sanitizer_install_malloc_and_free_hooks(
            { _, size in
                guard isMeasuring else { return }
                allocatedBytes += size
                liveBytes += size
                peakBytes = max(peakBytes, liveBytes)
            },
            { pointer in
                guard isMeasuring else { return }
                liveBytes -= __sanitizer_get_allocated_size(pointer)
            })
        precondition(count > 0, "the allocator takes no hooks")
    }

    static func measure(_ work: () -> Void) -> Cost {
        (liveBytes, peakBytes, allocatedBytes) = (0, 0, 0)
        isMeasuring = true
        let start = processorNanoseconds()
        work()
        let end = processorNanoseconds()
        isMeasuring = false
        return Cost(nanoseconds: end - start, peakBytes: peakBytes, allocatedBytes: allocatedBytes)
    }

    /// Work done in its best of several times: the others were disturbed.
    static func measureBest(of rounds: Int, _ work: () -> Void) -> Cost {
        (1..<rounds).reduce(measure(work)) { best, _ in
            let next = measure(work)
            return next.nanoseconds < best.nanoseconds ? next : best
        }
    }

    private static func processorNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
