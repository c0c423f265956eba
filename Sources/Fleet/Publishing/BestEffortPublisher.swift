internal import AMQP
internal import Contract
internal import CoreMetrics
internal import DequeModule
internal import Foundation
internal import Logging
internal import Synchronization

/// Sends a lane's answers and events, on a thread and a connection of its own: whatever becomes of them, jobs are acknowledged.
///
/// What cannot be sent waits, so much and so long, and is then dropped, counted and logged. A message for which the broker closes the channel or
/// the connection is found by sending those that went with it one by one.
final class BestEffortPublisher: Sendable {
    /// What is kept waiting.
    static let mostMessages = 10_000
    static let mostBytes = 16 << 20
    static let mostSeconds = 60.0
    /// How long a lane waits for what it has just handed over before it goes on without: so that, as long as all is well, a job is answered
    /// before it is acknowledged, and answered once more if its worker dies in between.
    static let patienceSeconds = 0.5
    /// How long a worker that ends goes on trying.
    static let farewellSeconds = 2.0
    /// Messages sent together.
    private static let most = 500

    /// What is handed over.
    enum Item: Sendable {
        case answer(Publisher.OutgoingMessage)
        /// The events of one routing key. The first is sent so that the broker says whether anybody is bound to it; only then are the others worth
        /// sending.
        case events(routingKey: String, [FinishedJob])

        var count: Int {
            switch self {
            case .answer: 1
            case .events(_, let jobs): jobs.count
            }
        }

        /// The memory that it holds.
        var bytes: Int {
            switch self {
            case .answer(let message): message.body.count + 512
            case .events(_, let jobs): jobs.reduce(0) { $0 + $1.delivery.heldBytes }
            }
        }
    }

    enum DropReason: String, CaseIterable {
        /// It waited too long.
        case age
        /// Too much was waiting.
        case count
        /// The broker refused it, or its queue did.
        case refused
        /// The worker has ended.
        case shutdown
    }

    private struct Waiting: Sendable {
        let item: Item
        let since: Double
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var messages = 0
        var bytes = 0
        /// Items handed over, and those that are through, sent or dropped.
        var added: UInt64 = 0
        var settled: UInt64 = 0
        /// Whether a lane has gone on without it: until everything is sent, none waits for it.
        var isBehind = false
        var endsAt = Double.infinity
    }

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let wakeUp: WakeUp
    private let lane: String
    private let control: LaneControl
    private let logger: Logger
    private let dropped: [DropReason: Counter]
    private let ended = Atomic<Bool>(false)

    /// Starts the thread, which ends after ``end(withinSeconds:)``.
    ///
    /// - Parameter wakeUp: sent whenever something is through.
    init(_ lane: String, _ environment: LaneEnvironment, _ metrics: FleetMetrics, wakeUp: WakeUp) {
        self.wakeUp = wakeUp
        self.lane = lane
        logger = environment.logger
        control = environment.control
        dropped = metrics.dropped
        let (broker, heartbeatSeconds) = (environment.options.broker, environment.options.heartbeatSeconds)
        let thread = Thread { [self] in
            run(
                Publisher(
                    broker, name: "tenantry \(lane) answers", heartbeatSeconds: heartbeatSeconds, asksFirst: false))
        }
        thread.name = "\(lane) answers"
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: For the lane's thread

    /// Takes them over, in order. What is too much is dropped.
    ///
    /// - Returns: what ``isThrough(_:)`` takes.
    func add(_ items: [Item]) -> UInt64 {
        guard !items.isEmpty else { return 0 }
        let now = SystemClock.monotonicSeconds()
        var refused = 0
        let ticket = state.withLock { state in
            for item in items {
                guard state.messages + item.count <= Self.mostMessages || !state.isBehind,
                    state.bytes + item.bytes <= Self.mostBytes || !state.isBehind
                else {
                    refused += item.count
                    continue
                }
                state.waiting.append(Waiting(item: item, since: now))
                state.messages += item.count
                state.bytes += item.bytes
                state.added += 1
            }
            return state.added
        }
        if refused > 0 { drop(refused, .count) }
        filled.signal()
        return ticket
    }

    /// Whether a lane need not wait: all of it is sent or dropped, or others' are stuck.
    func isThrough(_ ticket: UInt64) -> Bool { state.withLock { $0.settled >= ticket || $0.isBehind } }

    /// Notes that a lane goes on without it.
    func fallBehind() {
        state.withLock { $0.isBehind = true }
    }

    /// Sends what is left within so many seconds, drops the rest and ends the thread.
    func end(withinSeconds seconds: Double) {
        state.withLock { $0.endsAt = SystemClock.monotonicSeconds() + seconds }
        filled.signal()
    }

    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    // MARK: For its own thread

    private func run(_ publisher: Publisher) {
        defer {
            ended.store(true, ordering: .releasing)
            wakeUp.send()
        }
        var sender = Sender(publisher)
        while true {
            dropWhatIsOld()
            let (batch, endsAt) = state.withLock { state in (Self.batch(of: state, sender.mostTogether), state.endsAt) }
            if SystemClock.monotonicSeconds() > endsAt || batch.isEmpty && endsAt.isFinite { break }
            guard !batch.isEmpty else {
                _ = filled.wait(timeout: .now() + 1)
                publisher.keepAlive()
                continue
            }
            let dueAt = batch[0].since + Self.mostSeconds
            let round = sender.send(batch.map(\.item)) { [self] in
                SystemClock.monotonicSeconds() > min(dueAt, state.withLock { $0.endsAt })
            }
            settle(round.settled)
            if round.refused > 0 { drop(round.refused, .refused, cause: round.cause) }
            if round.late > 0 { drop(round.late, .age, cause: round.cause) }
            if round.waitSeconds > 0 { control.sleep(seconds: round.waitSeconds) }
        }
        let left = state.withLock { state in
            defer { state.waiting = [] }
            return state.messages
        }
        if left > 0 { drop(left, .shutdown) }
    }

    /// Those that are sent next: answers in a row, or the events of one routing key.
    private static func batch(of state: State, _ most: Int) -> [Waiting] {
        guard let first = state.waiting.first else { return [] }
        guard case .answer = first.item else { return [first] }
        return Array(state.waiting.prefix(min(most, Self.most)).prefix { if case .answer = $0.item { true } else { false } })
    }

    private func settle(_ count: Int) {
        guard count > 0 else { return }
        state.withLock { state in
            for _ in 0..<count { Self.removeFirst(&state) }
            if state.waiting.isEmpty { state.isBehind = false }
        }
        wakeUp.send()
    }

    private func dropWhatIsOld() {
        let oldest = SystemClock.monotonicSeconds() - Self.mostSeconds
        let count = state.withLock { state in
            var count = 0
            while let first = state.waiting.first, first.since < oldest {
                count += first.item.count
                Self.removeFirst(&state)
            }
            return count
        }
        if count > 0 { drop(count, .age) }
    }

    private static func removeFirst(_ state: inout State) {
        let first = state.waiting.removeFirst()
        state.messages -= first.item.count
        state.bytes -= first.item.bytes
        state.settled += 1
    }

    private func drop(_ count: Int, _ reason: DropReason, cause: AMQPError? = nil) {
        dropped[reason]?.increment(by: Int64(count))
        warn("answers or events were dropped", count, cause.map { "\($0)" } ?? reason.rawValue)
    }

    private func warn(_ message: Logger.Message, _ count: Int, _ cause: String) {
        logger.warning(message, metadata: [LogKey.lane: "\(lane)", LogKey.count: "\(count)", LogKey.error: "\(cause)"])
    }
}

extension BestEffortPublisher {
    /// The connection's part: what goes out now, and what the broker makes of it.
    private struct Sender {
        /// What became of the items that were to be sent.
        struct Outcome {
            /// So many of the first items are through.
            var settled = 0
            /// Messages among them that the broker did not take, and those that it has not confirmed in time.
            var refused = 0
            var late = 0
            var cause: AMQPError?
            var waitSeconds = 0.0
        }

        private let publisher: Publisher
        private var backoff = Backoff(limitSeconds: 2)
        /// So many of the next items are sent alone: one of them has made the broker close.
        private var suspects = 0

        init(_ publisher: Publisher) {
            self.publisher = publisher
        }

        var mostTogether: Int { suspects > 0 ? 1 : .max }

        /// - Parameter isOver: whether what is not confirmed by now is to be given up.
        mutating func send(_ items: [Item], isOver: () -> Bool) -> Outcome {
            var outcome = Outcome()
            do throws(AMQPError) {
                switch items[0] {
                case .answer:
                    let messages = items.compactMap { if case .answer(let message) = $0 { message } else { nil } }
                    outcome.refused = try confirmed(messages, isOver).refused.count
                case .events(let routingKey, let jobs):
                    let probe = jobs[0].event(routingKey: routingKey, isMandatory: true)
                    var failures = try confirmed([probe], isOver)
                    if failures.unroutable.isEmpty, jobs.count > 1 {
                        let others = jobs.dropFirst().map { $0.event(routingKey: routingKey, isMandatory: false) }
                        failures = try confirmed(others, isOver)
                    }
                    outcome.refused = failures.refused.count
                }
                outcome.settled = items.count
                suspects = max(0, suspects - items.count)
                backoff.reset()
            } catch {
                outcome.cause = error
                note(error, items, &outcome)
            }
            return outcome
        }

        private mutating func note(_ error: AMQPError, _ items: [Item], _ outcome: inout Outcome) {
            let count = items.reduce(0) { $0 + $1.count }
            switch error.kind {
            case .timeout, .blocked:
                outcome.settled = items.count
                outcome.late = count
                return
            case .channel, .connection, .library, .usage: break
            }
            // Without a code, or with that of a broker that shuts down, the connection was lost, and none of the messages is to blame for it.
            guard error.kind == .usage || error.replyCode.map({ $0 != 320 }) ?? false else {
                outcome.waitSeconds = backoff.nextSeconds()
                return
            }
            if items.count == 1 {
                outcome.settled = 1
                outcome.refused = count
                suspects = max(0, suspects - 1)
                // Whoever sends many such is not to keep the broker busy with connections.
                outcome.waitSeconds = 0.02
            } else {
                suspects = items.count
            }
        }

        private func confirmed(_ messages: [Publisher.OutgoingMessage], _ isOver: () -> Bool) throws(AMQPError)
            -> Publisher.Failures
        {
            var round = Publisher.Round(messages)
            while true {
                do throws(AMQPError) {
                    try publisher.goOn(with: &round, seconds: 1)
                    return round.failures
                } catch {
                    guard error.kind == .timeout || error.kind == .blocked else { throw error }
                    if isOver() {
                        publisher.reset()
                        throw error
                    }
                }
            }
        }
    }
}
