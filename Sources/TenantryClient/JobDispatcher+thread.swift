internal import Synchronization

extension JobDispatcher {
    // MARK: Beginning and end

    /// Starts the thread if it was not: `body` runs on it, once.
    func start(_ body: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            guard state.thread == .notStarted, state.machine.life == .open else { return false }
            state.thread = .running
            return true
        }
        if isFirst { startThread(body) }
    }

    /// Waits until there is a connection, or an attempt to make one has failed.
    func awaitConnection() async -> ClientError? {
        await withCheckedContinuation { waiter in
            let result: ClientError?? = state.withLock { state in
                if state.machine.life != .open { return .some(.closedNow) }
                if state.machine.isConnected { return .some(nil) }
                state.connectWaiters.append(waiter)
                return nil
            }
            if let result { waiter.resume(returning: result) }
        }
    }

    /// Takes nothing new, finishes what is in hand, and waits for the connection's end.
    func drain() async {
        change { state, _ in state.machine.drain() }
        await withCheckedContinuation { waiter in
            let isEnded = state.withLock { state in
                guard state.thread == .running else { return true }
                state.endWaiters.append(waiter)
                return false
            }
            if isEnded { waiter.resume() }
        }
    }

    /// Ends at once: whoever waits is told that the client is shut down.
    func close() {
        let waiters = change { state, notices in
            for progress in state.machine.close() { state.note(progress, &notices) }
            state.expiry?.task.cancel()
            state.expiry = nil
            defer { state.connectWaiters = [] }
            return state.connectWaiters
        }
        for waiter in waiters { waiter.resume(returning: .closedNow) }
    }

    // MARK: The connection's thread

    var isOver: Bool { state.withLock { $0.machine.isOver } }

    func connected() {
        let waiters = change { state, _ in
            state.machine.connected()
            defer { state.connectWaiters = [] }
            return state.connectWaiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    /// - Parameter isChannelError: the broker closed the channel because of what was published.
    func lost(_ failure: ClientError, isChannelError: Bool) {
        let waiters = change { state, notices in
            if isChannelError {
                for progress in state.machine.failUnconfirmed(failure) { state.note(progress, &notices) }
            }
            state.machine.lost(failure)
            defer { state.connectWaiters = [] }
            return state.connectWaiters
        }
        for waiter in waiters { waiter.resume(returning: failure) }
    }

    func ended() {
        let (enders, connecters) = state.withLock { state in
            state.thread = .ended
            defer { (state.endWaiters, state.connectWaiters) = ([], []) }
            return (state.endWaiters, state.connectWaiters)
        }
        for waiter in enders { waiter.resume() }
        for waiter in connecters { waiter.resume(returning: .closedNow) }
    }

    func takePublishes(_ most: Int) -> [JobStateMachine.Publish] { state.withLock { $0.machine.takePublishes(most) } }

    /// Tells the machine what happened, and the callers that are through.
    func report(_ body: (inout JobStateMachine) -> [JobStateMachine.Progress]) {
        change { state, notices in
            for progress in body(&state.machine) { state.note(progress, &notices) }
        }
    }

    /// Waits until the socket can be read, there is something to send, or the time is over.
    func sleep(descriptor: Int32, seconds: Double) {
        let mayRest = state.withLock { state in
            state.isAsleep = !state.machine.isOver && !state.machine.hasPublishes()
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
            let mayRest = state.withLock { state in
                state.isAsleep = left > .zero && !state.machine.isOver
                return state.isAsleep
            }
            guard mayRest else { return }
            wake.wait(descriptor: -1, seconds: left / .seconds(1) + 0.001)
        }
    }
}

extension ClientError {
    fileprivate static var closedNow: ClientError { ClientError(.closed, "the client is shut down") }
}
