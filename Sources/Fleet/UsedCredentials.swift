internal import Contract
internal import Jobs
internal import Postgres

/// The credentials that a lane's jobs came with, noted in the database from time to time, outside of their transactions.
struct UsedCredentials {
    /// A credential is noted again after so long.
    private static let againSeconds = 60.0
    /// So often a lane writes at most.
    private static let pauseSeconds = 5.0
    /// Keys remembered before they are forgotten, and noted once more.
    private static let capacity = 10_000

    private var notedAt: [String: Double] = [:]
    private var due: Set<String> = []
    private var writtenAt = -Double.infinity

    /// Takes the senders of jobs that are through, and writes those that are due.
    mutating func note(_ jobs: [FinishedJob], on database: inout Postgres.Connection) throws(PostgresError) {
        let now = SystemClock.monotonicSeconds()
        var last: Principal?
        for job in jobs {
            // A producer's jobs come in runs.
            guard let sender = job.sender, sender !== last else { continue }
            last = sender
            if now - notedAt[sender.key, default: -.infinity] >= Self.againSeconds { due.insert(sender.key) }
        }
        guard !due.isEmpty, now - writtenAt >= Self.pauseSeconds else { return }
        try CredentialUse.note(due.sorted(), on: &database)
        if notedAt.count > Self.capacity { notedAt.removeAll(keepingCapacity: true) }
        for key in due { notedAt[key] = now }
        due.removeAll(keepingCapacity: true)
        writtenAt = now
    }
}
