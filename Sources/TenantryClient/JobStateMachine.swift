internal import DequeModule

/// Where each job is: waiting to be sent, sent, taken by the broker, or done. A value without I/O: it says what to send and which
/// callers are through, ``JobDispatcher`` and ``JobConnection`` do it.
struct JobStateMachine {
    /// Names a job within this client, in the order of their handing over. Also its correlation id on the wire: ids of jobs are
    /// unique within an account only, and a job may be asked for twice at once.
    typealias Ticket = UInt64

    struct Limits {
        /// Jobs sent and not done.
        var mostInFlight = 10_000
        /// Their bodies together; one that is larger by itself goes alone.
        var mostBytesInFlight = 64 << 20
        /// Jobs sent and not confirmed.
        var mostUnconfirmed = 2_000
    }

    struct Job {
        var request: JobRequest
        var wantsAnswer: Bool
        /// Seconds since 1970-01-01T00:00:00Z.
        var enqueuedAt: UInt64
        /// nil: it may take for ever.
        var deadline: ContinuousClock.Instant?
    }

    enum Outcome {
        /// The answer's body.
        case answered([UInt8])
        /// The broker has it; that is all if nobody waits for an answer.
        case handedOver
        case failed(ClientError)
    }

    struct Progress {
        var ticket: Ticket
        var outcome: Outcome
        /// Whether an answer is still to come.
        var isAnswerMissing = false
    }

    struct Publish {
        var ticket: Ticket
        var job: Job
    }

    /// What the broker said about one publish.
    enum Confirm {
        case accepted
        /// It cannot take it: a queue is full, or has lost its majority.
        case refused
        /// No queue is bound for it.
        case unroutable
    }

    enum Phase: Equatable {
        case queued
        /// Taken out to be sent.
        case publishing
        case unconfirmed
        /// Only its answer is missing.
        case confirmed
    }

    struct Entry {
        var job: Job
        var phase = Phase.queued
        /// Whether the broker may have it from an earlier connection.
        var wasPublished = false
    }

    enum Life {
        case open
        /// What is in hand is finished, nothing new is taken.
        case draining
        case closed
    }

    let limits: Limits
    var entries: [Ticket: Entry] = [:]
    /// Jobs to be sent, in order. Those that are gone from `entries` are passed over.
    var queue: Deque<Ticket> = []
    /// Publishes of this connection that are not confirmed, done or not.
    var unconfirmed: [UInt64: Ticket] = [:]
    var life = Life.open
    private(set) var isConnected = false
    /// Whether the broker has announced that it takes no publishes (`connection.blocked`).
    var isBlocked = false
    /// Why there is no connection, once one was tried.
    var lastFailure: ClientError?
    private var inFlight = 0
    private var bytesInFlight = 0
    /// No deadline is earlier than this.
    private(set) var earliestDeadline: ContinuousClock.Instant?

    init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Nothing is to be done any more: the connection may go.
    var isOver: Bool { life == .closed || (life == .draining && entries.isEmpty) }

    // MARK: Callers

    /// Takes a job in.
    ///
    /// - Returns: why not, if the client is shut down.
    mutating func submit(_ job: Job, as ticket: Ticket) -> ClientError? {
        guard life == .open else { return .shutDown(job.request.id) }
        entries[ticket] = Entry(job: job)
        queue.append(ticket)
        if let deadline = job.deadline { earliestDeadline = min(earliestDeadline ?? deadline, deadline) }
        return nil
    }

    /// Forgets a job whose caller no longer waits. What was sent may run all the same.
    ///
    /// - Returns: the job, if it was there.
    mutating func cancel(_ ticket: Ticket) -> Job? { remove(ticket)?.job }

    /// Ends all jobs whose time is over.
    mutating func expire(at now: ContinuousClock.Instant) -> [Progress] {
        guard let earliest = earliestDeadline, earliest <= now else { return [] }
        var progress: [Progress] = []
        earliestDeadline = nil
        for (ticket, entry) in entries {
            guard let deadline = entry.job.deadline else { continue }
            if deadline <= now {
                progress.append(Progress(ticket: ticket, outcome: .failed(lateness(of: entry))))
            } else {
                earliestDeadline = min(earliestDeadline ?? deadline, deadline)
            }
        }
        for late in progress { remove(late.ticket) }
        return progress
    }

    // MARK: Publishing

    /// The next jobs to send, at most so many; none while there is no connection, the broker is blocked, or enough is in flight.
    mutating func takePublishes(_ most: Int) -> [Publish] {
        var publishes: [Publish] = []
        while publishes.count < most, let ticket = nextToPublish(besides: publishes.count), let entry = entries[ticket] {
            queue.removeFirst()
            entries[ticket]?.phase = .publishing
            inFlight += 1
            bytesInFlight += entry.job.request.body.count
            publishes.append(Publish(ticket: ticket, job: entry.job))
        }
        return publishes
    }

    /// Whether `takePublishes` would give something.
    mutating func hasPublishes() -> Bool { nextToPublish(besides: 0) != nil }

    private mutating func nextToPublish(besides publishing: Int) -> Ticket? {
        guard isConnected, !isBlocked, unconfirmed.count + publishing < limits.mostUnconfirmed else { return nil }
        while let ticket = queue.first {
            guard let entry = entries[ticket], entry.phase == .queued else {
                queue.removeFirst()
                continue
            }
            guard inFlight < limits.mostInFlight else { return nil }
            let isRoom = bytesInFlight + entry.job.request.body.count <= limits.mostBytesInFlight
            return isRoom || inFlight == 0 ? ticket : nil
        }
        return nil
    }

    /// Notes the sequence that a publish got.
    mutating func published(_ ticket: Ticket, sequence: UInt64) {
        unconfirmed[sequence] = ticket
        // Its caller may be gone since it was taken out.
        guard entries[ticket]?.phase == .publishing else { return }
        entries[ticket]?.phase = .unconfirmed
    }

    /// Puts a job back that could not be sent at the moment.
    mutating func putBack(_ ticket: Ticket) {
        guard let entry = entries[ticket], entry.phase == .publishing else { return }
        leaveFlight(entry)
        entries[ticket]?.phase = .queued
        queue.prepend(ticket)
    }

    /// Ends a job by itself.
    mutating func fail(_ ticket: Ticket, _ error: ClientError) -> Progress? {
        remove(ticket).map { Progress(ticket: ticket, outcome: .failed(error.about($0.job.request.id))) }
    }

    // MARK: What the broker says

    mutating func confirmed(_ sequence: UInt64, _ confirm: Confirm) -> Progress? {
        guard let ticket = unconfirmed.removeValue(forKey: sequence), let entry = entries[ticket] else { return nil }
        let request = entry.job.request
        switch confirm {
        case .accepted where entry.job.wantsAnswer:
            entries[ticket]?.phase = .confirmed
            return Progress(ticket: ticket, outcome: .handedOver, isAnswerMissing: true)
        case .accepted:
            remove(ticket)
            return Progress(ticket: ticket, outcome: .handedOver)
        case .refused:
            return fail(ticket, ClientError(.refused, "the broker refused job \(request.id): a queue is full?"))
        case .unroutable:
            let message = "no queue takes \(request.kind): is the topology declared (tenantry topology apply)?"
            return fail(ticket, ClientError(.unroutable, message))
        }
    }

    /// Notes an answer; nil if nobody waits for it.
    mutating func answered(_ ticket: Ticket, _ body: [UInt8]) -> Progress? {
        guard let entry = entries[ticket], entry.job.wantsAnswer, entry.phase != .queued else { return nil }
        remove(ticket)
        return Progress(ticket: ticket, outcome: .answered(body))
    }

    // MARK: The connection

    mutating func connected() {
        isConnected = true
        isBlocked = false
        lastFailure = nil
    }

    /// What was not confirmed or not answered will be sent again, under the same ids and before all else.
    mutating func lost(_ failure: ClientError) {
        isConnected = false
        isBlocked = false
        lastFailure = failure
        unconfirmed.removeAll(keepingCapacity: true)
        var again = entries.filter { $0.value.phase != .queued }.map(\.key)
        guard !again.isEmpty else { return }
        again.sort()
        for ticket in again {
            entries[ticket]?.wasPublished = true
            entries[ticket]?.phase = .queued
        }
        queue = Deque(again) + queue
        (inFlight, bytesInFlight) = (0, 0)
    }

    /// The broker closed the channel because of a publish: what is not confirmed has failed, as it would fail again.
    mutating func failUnconfirmed(_ error: ClientError) -> [Progress] {
        let guilty = entries.filter { $0.value.phase == .publishing || $0.value.phase == .unconfirmed }.map(\.key).sorted()
        return guilty.compactMap { fail($0, error) }
    }

    // MARK: The end

    /// Takes no more jobs; those in hand go on.
    mutating func drain() {
        if life == .open { life = .draining }
    }

    /// Ends everything at once.
    mutating func close() -> [Progress] {
        life = .closed
        return entries.keys.sorted().compactMap { ticket in
            remove(ticket).map { Progress(ticket: ticket, outcome: .failed(.shutDown($0.job.request.id))) }
        }
    }

    @discardableResult
    private mutating func remove(_ ticket: Ticket) -> Entry? {
        guard let entry = entries.removeValue(forKey: ticket) else { return nil }
        if entry.phase != .queued { leaveFlight(entry) }
        // While there is no connection nobody takes from the queue, and those who gave up must not pile up in it.
        if queue.count > 2 * entries.count + 1_024 { queue.removeAll { entries[$0]?.phase != .queued } }
        return entry
    }

    private mutating func leaveFlight(_ entry: Entry) {
        inFlight -= 1
        bytesInFlight -= entry.job.request.body.count
    }
}
