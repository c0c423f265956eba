internal import Glibc
internal import Synchronization

/// How long a transaction may take. A connection that was given one (``Connection/deadline``) counts each of its transactions from the beginning
/// to the commit, and when the time is over, cancels what the server does: the transaction fails with a `PostgresError` of kind `.overdue`.
///
/// Other threads may hold it, too, to end the time at once.
public final class TransactionDeadline: Sendable {
    public let seconds: Double
    /// Monotonic seconds; infinite while no transaction is open.
    private let bits = Atomic<UInt64>(Double.infinity.bitPattern)

    public init(seconds: Double) {
        self.seconds = seconds
    }

    /// Ends the time of the transaction that is open. Without one, nothing happens.
    public func expire() {
        var current = bits.load(ordering: .acquiring)
        while Double(bitPattern: current).isFinite {
            let (exchanged, original) = bits.compareExchange(
                expected: current, desired: (0.0).bitPattern, ordering: .acquiringAndReleasing)
            if exchanged { return }
            current = original
        }
    }

    func start() { bits.store((monotonicSeconds() + seconds).bitPattern, ordering: .releasing) }

    func stop() { bits.store(Double.infinity.bitPattern, ordering: .releasing) }

    var isOver: Bool { secondsLeft <= 0 }

    var secondsLeft: Double {
        let deadline = Double(bitPattern: bits.load(ordering: .acquiring))
        return deadline.isFinite ? deadline - monotonicSeconds() : .infinity
    }

    private func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
