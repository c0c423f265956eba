internal import Contract
internal import Jobs
internal import Postgres
internal import Synchronization

/// Notes when credentials are used over HTTP: once a minute each.
final class CredentialUses: Sendable {
    /// The minute in which each key was last noted by this process.
    private let noted = Mutex<[String: Int64]>([:])

    /// Keys that are remembered before all are forgotten.
    private static let mostRemembered = 50_000

    func note(_ key: String, on database: inout Postgres.Connection) throws(PostgresError) {
        let minute = SystemClock.nowMicroseconds() / 60_000_000
        let isNew = noted.withLock { noted in
            if noted[key] == minute { return false }
            if noted.count >= Self.mostRemembered { noted.removeAll() }
            noted[key] = minute
            return true
        }
        if isNew { try CredentialUse.note([key], on: &database) }
    }
}
