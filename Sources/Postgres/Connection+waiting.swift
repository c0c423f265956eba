internal import CLibPQ
internal import Glibc

/// A descriptor served while the connection waits.
struct Companion {
    let descriptor: Int32
    let onReadable: () -> Void
    var lastCallMilliseconds = monotonicMilliseconds()
    /// Until then it is not polled: its owner did not read the input, so `poll` would return at once again and again.
    var mutedUntilMilliseconds: Int64 = 0

    static let tickMilliseconds: Int64 = 1000
    static let muteMilliseconds: Int64 = 20

    mutating func serve() {
        let before = readableBytes()
        onReadable()
        lastCallMilliseconds = monotonicMilliseconds()
        mutedUntilMilliseconds = readableBytes() == before ? lastCallMilliseconds + Self.muteMilliseconds : 0
    }

    private func readableBytes() -> Int32 {
        var bytes: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &bytes) == 0 ? bytes : 0
    }
}

private func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

extension Connection {
    /// Writes what the socket takes. True when nothing is left.
    mutating func flush() throws(PostgresError) -> Bool {
        switch PQflush(handle) {
        case 0:
            unsentBytes = 0
            unsentBytesAtLastFlush = 0
            return true
        case 1:
            unsentBytesAtLastFlush = unsentBytes
            return false
        default:
            throw lost()
        }
    }

    /// Waits until there is input, or room for output if wanted, serves the companion meanwhile, and reads the input into
    /// libpq's buffer. False if the connection is gone; what the server said before may still be read.
    mutating func wait(writing: Bool) -> Bool {
        if TLSBuffer.holdsInput(handle) { return PQconsumeInput(handle) == 1 }
        var own = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        if writing { own.events |= Int16(POLLOUT) }
        while true {
            guard own.fd >= 0 else { return false }
            guard pollTogether(&own) else { continue }
            // Reading also at hang-up is what makes libpq notice it.
            return own.revents & ~Int16(POLLOUT) == 0 || PQconsumeInput(handle) == 1
        }
    }

    /// Polls both descriptors once and serves the companion if it is due. True if the connection's own is ready.
    private mutating func pollTogether(_ own: inout pollfd) -> Bool {
        guard let companion else { return poll(&own, 1, -1) > 0 }
        let now = monotonicMilliseconds()
        let isMuted = companion.mutedUntilMilliseconds > now
        let untilTick = max(0, companion.lastCallMilliseconds + Companion.tickMilliseconds - now)
        let timeout = isMuted ? min(untilTick, companion.mutedUntilMilliseconds - now) : untilTick
        // Poll ignores negative descriptors.
        var both = (own, pollfd(fd: isMuted ? -1 : companion.descriptor, events: Int16(POLLIN), revents: 0))
        let ready = withUnsafeMutableBytes(of: &both) {
            poll($0.assumingMemoryBound(to: pollfd.self).baseAddress, 2, Int32(timeout))
        }
        // After EINTR nothing is known; the caller polls again.
        own.revents = ready > 0 ? both.0.revents : 0
        let isReadable = ready > 0 && both.1.revents != 0
        if isReadable || monotonicMilliseconds() - companion.lastCallMilliseconds >= Companion.tickMilliseconds {
            self.companion!.serve()
        }
        return own.revents != 0
    }
}

/// OpenSSL reads whole records, libpq takes what fits its buffer, and `poll` does not see the rest.
/// libpq has no function to ask for it, so OpenSSL, which libpq loads, is asked directly.
private enum TLSBuffer {
    private typealias Pending = @convention(c) (UnsafeMutableRawPointer) -> Int32

    private static let pending: Pending? = dlsym(nil, "SSL_pending").map { unsafeBitCast($0, to: Pending.self) }

    static func holdsInput(_ handle: OpaquePointer) -> Bool {
        guard PQsslInUse(handle) == 1, let connection = PQsslStruct(handle, "OpenSSL"), let pending else { return false }
        return pending(connection) > 0
    }
}
