internal import Synchronization

/// What callers and the connection's thread share: the state machine, and who waits for what, under one lock.
///
/// Nobody is resumed and nothing is read or written while the lock is held.
final class JobDispatcher: Sendable {
    typealias Ticket = JobStateMachine.Ticket
    /// The answer's body; empty where none was asked for.
    typealias Reply = Result<[UInt8], ClientError>
    typealias Waiter = CheckedContinuation<Reply, Never>

    /// Jobs that were handed over together; one waiter for all.
    struct Batch {
        let waiter: Waiter
        var remaining: Int
        var failure: ClientError?
    }

    enum Wish {
        /// - Parameter onHandedOver: called when the broker has the job.
        case one(Waiter, onHandedOver: @Sendable () -> Void)
        /// Part of the batch that begins with this ticket.
        case part(of: Ticket)
    }

    struct State {
        var machine: JobStateMachine
        var wishes: [Ticket: Wish] = [:]
        var batches: [Ticket: Batch] = [:]
        /// Whether the thread waits and must be woken.
        var isAsleep = false
        var thread = ThreadState.notStarted
        var connectWaiters: [CheckedContinuation<ClientError?, Never>] = []
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        var expiry: (task: Task<Void, Never>, at: ContinuousClock.Instant)?
    }

    enum ThreadState {
        case notStarted, running, ended
    }

    /// What is to be told once the lock is free.
    enum Notice {
        case resume(Waiter, Reply)
        case handedOver(@Sendable () -> Void)
    }

    let state: Mutex<State>
    private let nextTicket = Atomic<Ticket>(1)
    let wake = WakeSignal()

    init(_ limits: JobStateMachine.Limits) {
        state = Mutex(State(machine: JobStateMachine(limits)))
    }

    /// Changes the state, then resumes and wakes whom that concerns.
    func change<Value: Sendable>(_ body: (inout State, inout [Notice]) -> Value) -> Value {
        var notices: [Notice] = []
        let (value, mustWake) = state.withLock { state in
            let value = body(&state, &notices)
            let mustWake = state.isAsleep && (state.machine.isOver || state.machine.hasPublishes())
            if mustWake { state.isAsleep = false }
            return (value, mustWake)
        }
        if mustWake { wake.send() }
        for notice in notices {
            switch notice {
            case .resume(let waiter, let reply): waiter.resume(returning: reply)
            case .handedOver(let tell): tell()
            }
        }
        return value
    }

    // MARK: Callers

    /// Sends a job and waits for its answer, or without one for the broker's confirm.
    func send(_ job: JobStateMachine.Job, onHandedOver: @escaping @Sendable () -> Void) async -> Reply {
        let ticket = nextTicket.add(1, ordering: .relaxed).oldValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                change { state, notices in
                    // Looked at under the lock: a cancellation comes either before this or finds the job.
                    let refusal = Task.isCancelled ? .cancelled(job.request.id) : state.machine.submit(job, as: ticket)
                    if let refusal {
                        notices.append(.resume(waiter, .failure(refusal)))
                    } else {
                        state.wishes[ticket] = .one(waiter, onHandedOver: onHandedOver)
                        expireInTime(&state)
                    }
                }
            }
        } onCancel: {
            cancel(ticket..<ticket + 1)
        }
    }

    /// Hands jobs over together and waits until the broker has confirmed or refused each; fails with the first failure.
    func send(_ jobs: [JobStateMachine.Job]) async -> Reply {
        guard let id = jobs.first?.request.id else { return .success([]) }
        let count = Ticket(jobs.count)
        let first = nextTicket.add(count, ordering: .relaxed).oldValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                change { state, notices in
                    var refusal: ClientError? = Task.isCancelled ? .cancelled(id) : nil
                    if refusal == nil, state.machine.life != .open { refusal = .shutDown(id) }
                    if let refusal { return notices.append(.resume(waiter, .failure(refusal))) }
                    state.batches[first] = Batch(waiter: waiter, remaining: jobs.count)
                    for (offset, job) in jobs.enumerated() {
                        let ticket = first + Ticket(offset)
                        _ = state.machine.submit(job, as: ticket)
                        state.wishes[ticket] = .part(of: first)
                    }
                    expireInTime(&state)
                }
            }
        } onCancel: {
            cancel(first..<first + count)
        }
    }

    private func cancel(_ tickets: Range<Ticket>) {
        change { state, notices in
            for ticket in tickets {
                guard let job = state.machine.cancel(ticket) else { continue }
                let outcome = JobStateMachine.Outcome.failed(.cancelled(job.request.id))
                state.note(JobStateMachine.Progress(ticket: ticket, outcome: outcome), &notices)
            }
        }
    }

    // MARK: Time

    /// Sees to it that the earliest deadline is kept, whatever the thread is busy with: it may be held up by the network.
    private func expireInTime(_ state: inout State) {
        guard let deadline = state.machine.earliestDeadline else { return }
        if let expiry = state.expiry, expiry.at <= deadline { return }
        state.expiry?.task.cancel()
        let task = Task { [weak self] in
            do {
                try await Task.sleep(until: deadline, clock: .continuous)
            } catch {
                return  // an earlier deadline took this one's place, or all is over
            }
            self?.expire()
        }
        state.expiry = (task, deadline)
    }

    private func expire() {
        change { state, notices in
            for progress in state.machine.expire(at: .now) { state.note(progress, &notices) }
            state.expiry = nil
            expireInTime(&state)
        }
    }
}

extension JobDispatcher.State {
    /// Notes what became of a job, and whom to tell.
    mutating func note(_ progress: JobStateMachine.Progress, _ notices: inout [JobDispatcher.Notice]) {
        if progress.isAnswerMissing {
            if case .one(_, let onHandedOver)? = wishes[progress.ticket] { notices.append(.handedOver(onHandedOver)) }
            return
        }
        guard let wish = wishes.removeValue(forKey: progress.ticket) else { return }
        let reply: JobDispatcher.Reply =
            switch progress.outcome {
            case .answered(let body): .success(body)
            case .handedOver: .success([])
            case .failed(let error): .failure(error)
            }
        switch wish {
        case .one(let waiter, _): notices.append(.resume(waiter, reply))
        case .part(let first):
            guard var batch = batches[first] else { return }
            batch.remaining -= 1
            if case .failure(let error) = reply, batch.failure == nil { batch.failure = error }
            batches[first] = batch.remaining == 0 ? nil : batch
            if batch.remaining == 0 { notices.append(.resume(batch.waiter, batch.failure.map { .failure($0) } ?? .success([]))) }
        }
    }
}
