internal import Contract
internal import Jobs
internal import Synchronization

/// Tenants whose jobs cannot be done just now, though others' can: somebody holds a lock on their tables, or something in their schema is missing. Their
/// jobs wait on the retry ladder, in order and without an attempt counted, so that no lane waits for them. One for all lanes of a worker.
///
/// When its time is over, a tenant's next batch is tried by itself, and with little patience for locks. If it goes through, all is as before.
final class ParkedTenants: Sendable {
    /// How long for the first time in a row, for the second, and so on.
    private static let waits = [1.0, 5, 5, 10]
    /// How long is waited for a lock of a tenant that was parked before.
    static let lockTimeout = "200ms"
    /// What is kept at most; which tenants were parked longest ago is forgotten then.
    private static let most = 10_000

    private struct Parking {
        var until: Double
        var times: Int
        var cause: String
    }

    private let parked = Mutex<[String: Parking]>([:])

    /// What a job waits with: those of its kind on its tenant, or in its account. Others may need other tables.
    static func key(of job: Job) -> String { "\(job.kind.name) of \(job.tenant?.slug ?? "account \(job.account)")" }

    /// How many wait.
    var count: Int {
        let now = SystemClock.monotonicSeconds()
        return parked.withLock { parked in parked.values.count { $0.until > now } }
    }

    /// What becomes of a job whose tenant is parked; nil if it is not, or is to be tried again.
    func outcome(_ key: String) -> Outcome? {
        parked.withLock { parked in
            guard let parking = parked[key], parking.until > SystemClock.monotonicSeconds() else { return nil }
            return .deferred(seconds: Self.wait(parking.times), cause: parking.cause)
        }
    }

    /// Whether nobody is parked or to be tried by himself.
    var isEmpty: Bool { parked.withLock { $0.isEmpty } }

    /// Whether a tenant was parked and has done nothing since.
    func isSuspect(_ key: String) -> Bool { parked.withLock { $0[key] != nil } }

    /// - Returns: what becomes of its jobs.
    func park(_ key: String, cause: String) -> Outcome {
        parked.withLock { parked in
            let times = (parked[key]?.times ?? 0) + 1
            let seconds = Self.wait(times)
            if parked.count >= Self.most, let oldest = parked.min(by: { $0.value.until < $1.value.until }) {
                parked[oldest.key] = nil
            }
            parked[key] = Parking(until: SystemClock.monotonicSeconds() + seconds, times: times, cause: cause)
            return .deferred(seconds: seconds, cause: cause)
        }
    }

    func release(_ key: String) {
        parked.withLock { $0[key] = nil }
    }

    private static func wait(_ times: Int) -> Double { waits[min(times, waits.count) - 1] }
}
