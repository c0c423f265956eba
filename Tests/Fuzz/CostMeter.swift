internal import CSanitizer
internal import Glibc

/// What reading an input took of the thread that did it.
struct Cost {
    var inputBytes: Int
    var outputBytes = 0
    /// Time on the processor, not on the clock: other programs on the machine don't count.
    var nanoseconds: Int
    /// The most that was allocated at once.
    var peakBytes: Int
    /// All that was allocated, together; the same in every run, however fast the machine is.
    var allocatedBytes: Int

    /// What the cost is to be in proportion to.
    var bytes: Int { inputBytes + outputBytes }
}

// What is too much. The bounds are generous, because a build that watches itself is slow, and so is a busy machine: what is meant to be found is out
// of any proportion.
extension Cost {
    private static let freeNanoseconds = 200_000_000
    private static let nanosecondsPerByte = 8_000
    private static let freeBytes = 4 << 20
    private static let peakBytesPerByte = 256
    private static let allocatedBytesPerByte = 4_096
    /// How much more than in proportion the larger of two inputs may cost; where it costs little, nobody cares.
    private static let disproportion = 6
    private static let littleNanoseconds = 30_000_000
    private static let littleBytes = 16 << 20

    /// What is wrong with it by itself.
    var complaint: String? {
        if nanoseconds > Self.freeNanoseconds + Self.nanosecondsPerByte * bytes {
            return "\(inputBytes) bytes took \(nanoseconds / 1_000_000) ms of processor time"
        }
        if peakBytes > Self.freeBytes + Self.peakBytesPerByte * bytes {
            return "\(inputBytes) bytes took \(peakBytes) bytes of memory"
        }
        if allocatedBytes > Self.freeBytes + Self.allocatedBytesPerByte * bytes {
            return "for \(inputBytes) bytes \(allocatedBytes) bytes were allocated in all"
        }
        return nil
    }

    /// What is wrong with it beside the cost of a smaller input of the same make. Sixteen times the cost for sixteen times the bytes is
    /// proportion, 256 times is the square.
    func complaint(against small: Cost) -> String? {
        func isOutOfProportion(_ mine: Int, _ theirs: Int) -> Bool {
            mine / Self.disproportion * max(small.bytes, 1) > theirs * bytes
        }
        if nanoseconds > Self.littleNanoseconds, isOutOfProportion(nanoseconds, max(small.nanoseconds, 100_000)) {
            return
                "\(small.bytes) bytes took \(small.nanoseconds / 1_000) µs of processor time, \(bytes) bytes \(nanoseconds / 1_000) µs"
        }
        if peakBytes > Self.littleBytes, isOutOfProportion(peakBytes, small.peakBytes) {
            return "\(small.bytes) bytes took \(small.peakBytes) bytes of memory, \(bytes) bytes \(peakBytes)"
        }
        if allocatedBytes > Self.littleBytes, isOutOfProportion(allocatedBytes, small.allocatedBytes) {
            return
                "for \(small.bytes) bytes \(small.allocatedBytes) bytes were allocated in all, for \(bytes) bytes \(allocatedBytes)"
        }
        return nil
    }
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

    static func measure(_ input: [UInt8], _ read: ([UInt8]) -> Int) -> Cost {
        (liveBytes, peakBytes, allocatedBytes) = (0, 0, 0)
        isMeasuring = true
        let start = processorNanoseconds()
        let outputBytes = read(input)
        let end = processorNanoseconds()
        isMeasuring = false
        return Cost(
            inputBytes: input.count, outputBytes: outputBytes, nanoseconds: end - start, peakBytes: peakBytes,
            allocatedBytes: allocatedBytes)
    }

    private static func processorNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
