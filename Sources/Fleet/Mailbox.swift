internal import DequeModule
internal import Dispatch
internal import Synchronization

/// Hands values from one thread to another, in order.
final class Mailbox<Value: Sendable>: Sendable {
    private let values = Mutex<Deque<Value>>([])
    private let filled = DispatchSemaphore(value: 0)

    func put(_ value: Value) {
        values.withLock { $0.append(value) }
        filled.signal()
    }

    /// Waits for the next value. For one thread alone.
    func take() -> Value {
        filled.wait()
        return values.withLock { $0.removeFirst() }
    }

    /// The next value if there is one.
    func takeIfAny() -> Value? {
        guard filled.wait(timeout: .now()) == .success else { return nil }
        return values.withLock { $0.removeFirst() }
    }
}
