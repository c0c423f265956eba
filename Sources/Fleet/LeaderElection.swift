internal import CoreMetrics
internal import Postgres

/// Sees to it that one worker leads: the one that holds the fleet's advisory lock. Every worker tries for it. PostgreSQL frees the lock
/// when the leader's connection ends, and another worker gets it.
struct LeaderElection {
    private(set) var isLeader = false
    private let leads = Gauge(label: "tenantry_leader")

    /// Tries to become the leader, unless this worker is.
    ///
    /// - Returns: whether it has just become it.
    mutating func run(on database: inout Postgres.Connection) throws(PostgresError) -> Bool {
        guard !isLeader else { return false }
        isLeader = try database.query(SQL.lead).only(Bool.self)
        leads.record(isLeader ? 1 : 0)
        return isLeader
    }

    /// The connection is lost, and the lock with it.
    mutating func lose() {
        isLeader = false
        leads.record(0)
    }

    enum SQL {
        static let lead: Statement = "select pg_try_advisory_lock(hashtext('tenantry.leader'))"
    }
}
