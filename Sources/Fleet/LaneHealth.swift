internal import Synchronization

/// What each lane is doing, for `/ready` and for the worker's row in the database.
public final class LaneHealth: Sendable {
    public enum State: String, Sendable {
        case starting, running, stopped
        /// It cannot go on, and the worker ends.
        case failed
        case waitingForBroker = "waiting for broker"
        case waitingForDatabase = "waiting for database"
    }

    private let states = Mutex<[String: State]>([:])

    init(lanes: [String]) {
        states.withLock { $0 = Dictionary(uniqueKeysWithValues: lanes.map { ($0, .starting) }) }
    }

    func set(_ lane: String, _ state: State) {
        states.withLock { $0[lane] = state }
    }

    /// Lane name → what it is doing.
    public var lanes: [String: State] { states.withLock { $0 } }

    /// Whether every lane is connected and consuming.
    public var isReady: Bool { states.withLock { states in states.values.allSatisfy { $0 == .running } } }
}
