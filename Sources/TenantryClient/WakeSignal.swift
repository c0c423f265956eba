internal import Glibc

/// Wakes a thread that waits for its socket: the reading end of a pipe, polled beside it.
final class WakeSignal: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: errno \(errno)")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// From any thread. A pipe that is full is as readable as can be.
    func send() { _ = write(writing, "!", 1) }

    /// Waits until `descriptor` can be read, or a signal came, or the time is over; takes the signals in.
    ///
    /// - Parameter descriptor: -1 for none.
    func wait(descriptor: Int32, seconds: Double) {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: reading, events: Int16(POLLIN), revents: 0),
        ]
        // An interrupted or failed poll only ends the wait early: what is wrong shows at the next read.
        guard poll(&descriptors, 2, Int32(max(0, seconds) * 1_000)) > 0, descriptors[1].revents != 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(reading, &buffer, buffer.count) == buffer.count {}
    }
}

/// Runs `body` on a new thread of its own, which ends with it.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Start(body)).toOpaque()
    let code = pthread_create(
        &thread, nil,
        { context in
            Unmanaged<Start>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, context)
    precondition(code == 0, "pthread_create: \(code)")
    pthread_detach(thread)
}
