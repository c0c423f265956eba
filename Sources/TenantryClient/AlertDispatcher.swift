internal import Synchronization

/// What the takers of alerts and the connection's thread share, under one lock.
final class AlertDispatcher: Sendable {
    /// The next alert; nil when there are no more.
    typealias Reply = Result<AlertBuffer.Item?, ClientError>

    private struct State {
        var buffer = AlertBuffer()
        var takers: [(id: UInt64, waiter: CheckedContinuation<Reply, Never>)] = []
        /// How it ended, if it has.
        var end: Reply?
        var isAsleep = false
        var hasBegun = false
        var beginWaiter: CheckedContinuation<ClientError?, Never>?
    }

    private let state = Mutex(State())
    private let nextTaker = Atomic<UInt64>(0)
    private let wake = WakeSignal()

    // MARK: Takers

    /// Waits for the next alert. The one before is dealt with.
    func next(after last: AlertBuffer.Delivery?) async -> Reply {
        let id = nextTaker.add(1, ordering: .relaxed).oldValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let (reply, mustWake): (Reply?, Bool) = state.withLock { state in
                    if let last { state.buffer.acknowledge(last) }
                    defer { if state.buffer.hasAcknowledgements { state.isAsleep = false } }
                    let mustWake = state.isAsleep && state.buffer.hasAcknowledgements
                    if let end = state.end { return (end, mustWake) }
                    // Looked at under the lock: a cancellation comes either before this or finds the taker.
                    if Task.isCancelled { return (.success(nil), mustWake) }
                    if let item = state.buffer.takeItem() { return (.success(item), mustWake) }
                    state.takers.append((id, waiter))
                    return (nil, mustWake)
                }
                if mustWake { wake.send() }
                if let reply { waiter.resume(returning: reply) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.takers.firstIndex { $0.id == id }.map { state.takers.remove(at: $0).waiter }
            }
            waiter?.resume(returning: .success(nil))
        }
    }

    func isNew(_ id: String) -> Bool { state.withLock { $0.buffer.isNew(id) } }

    /// Waits until the queue is bound, or the first attempt has failed.
    func awaitBegin() async -> ClientError? {
        await withCheckedContinuation { waiter in
            let result: ClientError?? = state.withLock { state in
                if case .failure(let error)? = state.end { return .some(error) }
                if state.hasBegun || state.end != nil { return .some(nil) }
                state.beginWaiter = waiter
                return nil
            }
            if let result { waiter.resume(returning: result) }
        }
    }

    /// Ends it: whoever waits for an alert gets this.
    func end(_ reply: Reply) {
        let (takers, beginWaiter, mustWake) = state.withLock { state in
            if state.end == nil { state.end = reply }
            defer { (state.takers, state.beginWaiter, state.isAsleep) = ([], nil, false) }
            return (state.takers.map(\.waiter), state.beginWaiter, state.isAsleep)
        }
        if mustWake { wake.send() }
        for taker in takers { taker.resume(returning: reply) }
        if case .failure(let error) = reply { beginWaiter?.resume(returning: error) } else { beginWaiter?.resume(returning: nil) }
    }

    // MARK: The connection's thread

    var isOver: Bool { state.withLock { $0.end != nil } }
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    func connected() {
        let waiter = state.withLock { state in
            state.buffer.connected()
            state.hasBegun = true
            return state.beginWaiter.take()
        }
        waiter?.resume(returning: nil)
    }

    /// Takes alerts in, and gives them to those who wait.
    func arrived(_ deliveries: [(tag: UInt64, body: [UInt8])]) {
        let given = state.withLock { state in
            for delivery in deliveries { state.buffer.arrived(tag: delivery.tag, body: delivery.body) }
            var given: [(CheckedContinuation<Reply, Never>, AlertBuffer.Item)] = []
            while !state.takers.isEmpty, let item = state.buffer.takeItem() {
                given.append((state.takers.removeFirst().waiter, item))
            }
            return given
        }
        for (waiter, item) in given { waiter.resume(returning: .success(item)) }
    }

    func takeAcknowledgements() -> [UInt64] { state.withLock { $0.buffer.takeAcknowledgements() } }

    /// Waits until the socket can be read, there is something to acknowledge, or the time is over.
    func sleep(descriptor: Int32, seconds: Double) {
        let mayRest = state.withLock { state in
            state.isAsleep = state.end == nil && !state.buffer.hasAcknowledgements
            return state.isAsleep
        }
        guard mayRest else { return }
        wake.wait(descriptor: descriptor, seconds: seconds)
        state.withLock { $0.isAsleep = false }
    }

    /// Waits before the next attempt to connect, for the whole time unless the end comes.
    func rest(seconds: Double) {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero, !isOver else { return }
            sleep(descriptor: -1, seconds: left / .seconds(1) + 0.001)
        }
    }
}
