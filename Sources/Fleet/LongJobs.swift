internal import Synchronization

/// How many batches of a worker may go on apart because they take long. Each holds a thread and a database connection.
final class LongJobs: Sendable {
    static let most = 8
    /// One account's long jobs leave room for others'.
    static let mostPerAccount = 4
    static let mostPerLane = 2

    /// One batch's place; given back when nobody holds it any more.
    final class Place: Sendable {
        private let account: String?
        private let jobs: LongJobs

        fileprivate init(_ account: String?, _ jobs: LongJobs) {
            self.account = account
            self.jobs = jobs
        }

        deinit { jobs.leave(account) }
    }

    private struct Taken {
        var count = 0
        var byAccount: [String: Int] = [:]
    }

    private let taken = Mutex(Taken())

    /// - Parameter account: whose job it is; nil for a batch of several accounts.
    /// - Returns: nil if there is no room.
    func enter(account: String?) -> Place? {
        let entered = taken.withLock { taken in
            let own = account.map { taken.byAccount[$0] ?? 0 } ?? 0
            guard taken.count < Self.most, own < Self.mostPerAccount else { return false }
            taken.count += 1
            if let account { taken.byAccount[account] = own + 1 }
            return true
        }
        return entered ? Place(account, self) : nil
    }

    /// How many places are taken.
    var count: Int { taken.withLock { $0.count } }

    private func leave(_ account: String?) {
        taken.withLock { taken in
            taken.count -= 1
            guard let account, let own = taken.byAccount[account] else { return }
            taken.byAccount[account] = own > 1 ? own - 1 : nil
        }
    }
}
