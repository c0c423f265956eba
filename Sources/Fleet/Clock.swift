internal import Glibc

/// The clocks of a lane, read once a batch rather than once a job.
enum Clock {
    /// Seconds that only ever grow; for lifetimes and durations.
    static func monotonicSeconds() -> Double {
        seconds(CLOCK_MONOTONIC)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    static func nowMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
