internal import Foundation
internal import Glibc
internal import Synchronization

/// SIGTERM, SIGINT and SIGHUP of a worker or the API: each drains it, from the process's first instructions on. Also as process 1, for which the kernel passes
/// over signals that nobody handles.
enum WorkerSignals {
    /// Where a signal is told; negative while there is nothing to drain yet.
    private static let receiver = Atomic<Int32>(-1)

    /// Until ``drain(_:)``, a signal ends the process at once, with 0: nothing is in hand.
    static func listen() {
        // It must be there before the first signal asks for it.
        _ = receiver.load(ordering: .relaxed)
        for number in [SIGTERM, SIGINT, SIGHUP] {
            signal(number) { _ in
                let descriptor = WorkerSignals.receiver.load(ordering: .relaxed)
                guard descriptor >= 0 else { _exit(0) }
                // A pipe that is full has told it already.
                _ = write(descriptor, "s", 1)
            }
        }
    }

    /// From now on, the first signal calls this, on a thread of its own.
    static func drain(_ body: @escaping @Sendable () -> Void) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: errno \(errno)")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let source = ends[0]
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(source, &byte, 1) < 0, errno == EINTR {}
            body()
        }
        receiver.store(ends[1], ordering: .relaxed)
    }

    /// Sends this process SIGTERM when its standard input ends.
    static func terminateWhenInputEnds() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            kill(getpid(), SIGTERM)
        }
    }
}
