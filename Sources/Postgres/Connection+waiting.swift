internal import CLibPQ
internal import Glibc

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

    /// Waits until there is input, or room for output if wanted, and reads the input into libpq's buffer. When the transaction's time is over,
    /// asks the server to stop what it does. False if the connection is gone; what the server said before may still be read.
    mutating func wait(writing: Bool) -> Bool {
        if TLSBuffer.holdsInput(handle) { return PQconsumeInput(handle) == 1 }
        var own = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
        if writing { own.events |= Int16(POLLOUT) }
        while true {
            guard own.fd >= 0 else { return false }
            guard poll(&own, 1, milliseconds()) > 0 else {
                // A request to cancel that meets the server between two statements does nothing: it is repeated until this ends.
                if deadline?.isOver == true {
                    do throws(PostgresError) { try cancel() } catch { return false }
                }
                continue
            }
            // Reading also at hang-up is what makes libpq notice it.
            return own.revents & ~Int16(POLLOUT) == 0 || PQconsumeInput(handle) == 1
        }
    }

    /// How long to poll before the deadline is looked at: another thread may have ended the time.
    private func milliseconds() -> Int32 {
        guard let deadline else { return -1 }
        return Int32(min(max(deadline.secondsLeft, 0.1), 1) * 1_000)
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
