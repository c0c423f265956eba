internal import Contract
internal import Synchronization

/// What each lane is doing, and what keeps a worker from making progress: for `/ready`, `/live`, and the worker's row in the database.
public final class LaneHealth: Sendable {
    public enum State: String, Sendable {
        case starting, running, stopped
        /// It cannot go on, and the worker ends.
        case failed
        case waitingForBroker = "waiting for broker"
        case waitingForDatabase = "waiting for database"
    }

    /// Jobs that lanes have taken and not acknowledged.
    public struct InHand: Sendable, Equatable {
        public var jobs = 0
        public var oldestSeconds = 0.0
    }

    /// A server, as the worker's own look at it finds it.
    enum Server: String, CaseIterable {
        case broker, database
    }

    private struct Lane {
        var state = State.starting
        var cause = ""
        var turnAt: Double
        var jobs = 0
        /// When the batch in hand was taken; nil while there is none, or what there is goes on apart.
        var since: Double?
        var isBlocked = false
    }

    private struct Check {
        var problems: [String] = []
        var at: Double
    }

    private struct All {
        var lanes: [String: Lane]
        var checks: [Server: Check] = [:]
        var isDraining = false
    }

    /// A lane's thread whose last turn is so long ago does not turn any more: no call in it takes so long.
    private static let deadSeconds = 180.0
    /// A look at a server that has not come to its end for so long: it does not answer.
    private static let unansweredSeconds = 30.0

    private let stuckSeconds: Double
    private let all: Mutex<All>

    /// - Parameter stuckSeconds: a batch that is in hand for longer than this makes no progress.
    init(lanes: [String], stuckSeconds: Double) {
        self.stuckSeconds = stuckSeconds
        let now = SystemClock.monotonicSeconds()
        all = Mutex(All(lanes: Dictionary(uniqueKeysWithValues: lanes.map { ($0, Lane(turnAt: now)) })))
    }

    // MARK: What is noted

    func set(_ lane: String, _ state: State, cause: String = "") {
        change(lane) { lane in
            lane.state = state
            lane.cause = cause
        }
    }

    /// A lane's thread has come round; so many jobs are in its hands.
    func turn(_ lane: String, jobs: Int, isBlocked: Bool) {
        change(lane) { lane in
            lane.turnAt = SystemClock.monotonicSeconds()
            lane.jobs = jobs
            lane.isBlocked = isBlocked
        }
    }

    /// A lane has taken a batch, or is done with it.
    func note(_ lane: String, isAtWork: Bool) {
        change(lane) { $0.since = isAtWork ? SystemClock.monotonicSeconds() : nil }
    }

    private func change(_ lane: String, _ body: (inout Lane) -> Void) {
        all.withLock { all in
            guard all.lanes[lane] != nil else { return }
            body(&all.lanes[lane]!)
        }
    }

    func note(_ server: Server, _ problems: [String]) {
        all.withLock { $0.checks[server] = Check(problems: problems, at: SystemClock.monotonicSeconds()) }
    }

    func drain() {
        all.withLock { $0.isDraining = true }
    }

    // MARK: What is told

    /// Lane name → what it is doing.
    public var lanes: [String: State] { all.withLock { $0.lanes.mapValues(\.state) } }

    /// Whether every lane is connected and consuming, and nothing keeps it from making progress.
    public var isReady: Bool { problems.isEmpty }

    /// Whether every lane's thread lives. One that waits for a server does.
    public var isLive: Bool {
        let now = SystemClock.monotonicSeconds()
        return all.withLock { all in
            all.lanes.values.allSatisfy { $0.state != .failed && ($0.state == .stopped || now - $0.turnAt < Self.deadSeconds) }
        }
    }

    public var inHand: InHand {
        let now = SystemClock.monotonicSeconds()
        return all.withLock { all in
            InHand(
                jobs: all.lanes.values.reduce(0) { $0 + $1.jobs },
                oldestSeconds: all.lanes.values.compactMap(\.since).map { now - $0 }.max() ?? 0)
        }
    }

    /// How many lanes have had the same batch in hand for too long.
    public var stuckLanes: Int {
        let now = SystemClock.monotonicSeconds()
        return all.withLock { all in all.lanes.values.count { isStuck($0, now) } }
    }

    /// What keeps the worker from making progress, in words for whoever is to mend it; empty if nothing does.
    public var problems: [String] {
        let now = SystemClock.monotonicSeconds()
        return all.withLock { all in
            var problems: [String] = all.isDraining ? ["draining: it takes no further jobs"] : []
            for (name, lane) in all.lanes.sorted(by: { $0.key < $1.key }) {
                if lane.state != .running {
                    problems.append("lane \(name): \(lane.state.rawValue)\(lane.cause.isEmpty ? "" : ": \(lane.cause)")")
                } else if isStuck(lane, now), let since = lane.since {
                    problems.append("lane \(name): a batch has been in hand for \(Int(now - since)) s")
                } else if lane.isBlocked {
                    problems.append("lane \(name): the broker is in alarm and takes no messages")
                }
            }
            for server in Server.allCases {
                guard let check = all.checks[server] else { continue }
                problems += check.problems.map { "\(server.rawValue): \($0)" }
                if now - check.at > Self.unansweredSeconds {
                    problems.append("\(server.rawValue): no answer for \(Int(now - check.at)) s")
                }
            }
            return problems
        }
    }

    private func isStuck(_ lane: Lane, _ now: Double) -> Bool { lane.since.map { now - $0 > stuckSeconds } ?? false }
}
