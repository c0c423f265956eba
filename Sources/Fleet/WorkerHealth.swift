internal import Synchronization

/// What each lane is doing, for `/ready` and for the worker's row in the database.
public final class LaneHealth: Sendable {
    public enum State: String, Sendable {
        case starting, running, stopped
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

/// How many jobs the worker's lanes have settled since it started.
final class WorkerTally: Sendable {
    struct Totals: Sendable {
        var jobs: Int64 = 0
        var rejected: Int64 = 0
        var retried: Int64 = 0
    }

    private let totals = Mutex(Totals())

    func add(_ endings: [Settlement.Ending: Int]) {
        totals.withLock { totals in
            for (ending, count) in endings {
                switch ending {
                case .succeeded, .duplicate: totals.jobs += Int64(count)
                case .rejected: totals.rejected += Int64(count)
                case .retried: totals.retried += Int64(count)
                }
            }
        }
    }

    var current: Totals { totals.withLock { $0 } }
}
