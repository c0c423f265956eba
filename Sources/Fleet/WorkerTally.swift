internal import Synchronization

/// How many jobs the worker's lanes have finished since it started.
final class WorkerTally: Sendable {
    struct Totals: Sendable {
        var jobs: Int64 = 0
        var rejected: Int64 = 0
        var retried: Int64 = 0
        var deferred: Int64 = 0
    }

    private let totals = Mutex(Totals())

    func add(_ endings: [FinishedJob.Ending: Int]) {
        totals.withLock { totals in
            for (ending, count) in endings {
                switch ending {
                case .succeeded, .duplicate: totals.jobs += Int64(count)
                case .rejected: totals.rejected += Int64(count)
                case .retried: totals.retried += Int64(count)
                case .deferred: totals.deferred += Int64(count)
                }
            }
        }
    }

    var current: Totals { totals.withLock { $0 } }
}
