internal import Contract
public import Postgres
internal import Synchronization

/// When credentials were last used, to the minute: noted outside of jobs by whoever checks them, each once in a minute, and together.
///
/// It is for a lane or for a process to have one. Nothing depends on a note: where one cannot be written, it is due again.
public final class CredentialUses: Sendable {
    private struct State {
        /// The minute in which each key was last seen here.
        var minutes: [String: Int64] = [:]
        /// Keys whose use is to be written.
        var due: Set<String> = []
        /// Monotonic seconds before which nothing is written.
        var waitsUntil = -Double.infinity
    }

    private let state = Mutex(State())
    private let pauseSeconds: Double

    /// Keys that are remembered before all are forgotten, and noted once more.
    private static let capacity = 50_000
    /// How long nothing is tried after a failure.
    private static let patienceSeconds = 5.0

    /// - Parameter pauseSeconds: so long after it has written it writes nothing more.
    public init(pauseSeconds: Double = 0) {
        self.pauseSeconds = pauseSeconds
    }

    /// Notes that these credentials have been used now, in the database where they are due there. What is no credential's key leaves nothing.
    ///
    /// - Throws: `PostgresError`: nothing was written, and will be tried again.
    public func note(_ keys: some Sequence<String>, on database: inout Connection) throws(PostgresError) {
        let due = take(keys, minute: SystemClock.nowMicroseconds() / 60_000_000, now: SystemClock.monotonicSeconds())
        guard !due.isEmpty else { return }
        do throws(PostgresError) {
            _ = try database.query(SQL.note, due)
        } catch {
            putBack(due, now: SystemClock.monotonicSeconds())
            throw error
        }
    }

    /// - Returns: the keys to be written now, in order; they count as written.
    func take(_ keys: some Sequence<String>, minute: Int64, now: Double) -> [String] {
        state.withLock { state in
            for key in keys where state.minutes[key] != minute {
                if state.minutes.count >= Self.capacity { state.minutes.removeAll(keepingCapacity: true) }
                state.minutes[key] = minute
                state.due.insert(key)
            }
            guard !state.due.isEmpty, now >= state.waitsUntil else { return [] }
            defer { state.due.removeAll(keepingCapacity: true) }
            state.waitsUntil = now + pauseSeconds
            return state.due.sorted()
        }
    }

    func putBack(_ keys: [String], now: Double) {
        state.withLock { state in
            state.due.formUnion(keys.prefix(Self.capacity))
            state.waitsUntil = now + max(pauseSeconds, Self.patienceSeconds)
        }
    }

    enum SQL {
        /// In the order of the keys, so that nobody waits for another in a ring.
        static let note: Statement = """
            insert into tenantry.credential_uses as u (key, last_used_at)
            select c.key, date_trunc('minute', clock_timestamp()) from tenantry.credentials c where c.key = any($1) order by c.key
            on conflict (key) do update set last_used_at = excluded.last_used_at where u.last_used_at < excluded.last_used_at
            """
    }
}
