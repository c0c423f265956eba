internal import Contract
internal import Postgres
internal import Synchronization

/// The leader's rounds over archived tenants whose time has come. Each is purged in a transaction of its own, so one that cannot be purged
/// does not stop the others.
final class DuePurges: Sendable {
    /// Tenants of one round.
    private static let most: Int64 = 5
    /// No further purge is begun after this time, because a worker that is asked to stop waits for the end of the round.
    private static let roundSeconds = 0.5
    /// How long a tenant whose purge failed is left alone.
    private static let restSeconds = 60.0

    private let resting = Mutex<[String: ContinuousClock.Instant]>([:])

    /// - Throws: ``PurgesFailed`` after the round if some failed; `PostgresError` when the connection is lost.
    func run(on database: inout Connection) throws {
        let began = ContinuousClock.now
        let leftAlone = resting.withLock { resting in
            resting = resting.filter { $0.value > began }
            return resting.keys.sorted()
        }
        let due = try database.query(SQL.due, leftAlone, Self.most).decode(String.self)
        var failures: [(tenant: String, error: any Error)] = []
        for slug in due where ContinuousClock.now - began < .seconds(Self.roundSeconds) {
            do {
                _ = try database.transaction { database in try TenantPurge.runDue(slug, on: &database) }
            } catch {
                guard database.isUsable else { throw error }
                resting.withLock { $0[slug] = .now + .seconds(Self.restSeconds) }
                failures.append((slug, error))
            }
        }
        if !failures.isEmpty { throw PurgesFailed(failures: failures) }
    }

    enum SQL {
        static let due: Statement = """
            select slug from tenantry.tenants where state = 'archived' and purge_at <= now() and slug <> all($1)
            order by purge_at, slug limit $2
            """
    }
}

/// The purges of a round that failed, and why; they are tried again.
struct PurgesFailed: Error, CustomStringConvertible {
    let failures: [(tenant: String, error: any Error)]

    var description: String {
        "could not be purged: " + failures.map { "tenant \($0.tenant): \($0.error)" }.joined(separator: "; ")
    }
}
