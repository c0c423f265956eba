internal import Contract
internal import CoreMetrics
internal import Glibc
internal import Postgres

/// The worker's row in `tenantry.workers`: that it lives, what it serves, and how much it has done. Every worker writes its own.
struct WorkerHeartbeat {
    static let name = "heartbeat"
    static let intervalSeconds = 2.0

    let workerID: String
    let families: [String]
    let laneCount: Int
    let tally: WorkerTally
    let health: LaneHealth
    private let ready = Gauge(label: "tenantry_ready")
    private let jobsInHand = Gauge(label: "tenantry_jobs_in_hand")
    private let stuckLanes = Gauge(label: "tenantry_stuck_lanes")
    private var lastTotals = WorkerTally.Totals()
    private var lastAt = 0.0

    init(workerID: String, families: [String], laneCount: Int, tally: WorkerTally, health: LaneHealth) {
        self.health = health
        self.workerID = workerID
        self.families = families
        self.laneCount = laneCount
        self.tally = tally
    }

    /// For `/metrics`; also while the database is away.
    func recordMetrics() {
        ready.record(health.isReady ? 1 : 0)
        jobsInHand.record(health.inHand.jobs)
        stuckLanes.record(health.stuckLanes)
    }

    /// What one row tells.
    private static let mostProblems = 20

    mutating func beat(leads: Bool, on database: inout Postgres.Connection) throws(PostgresError) {
        let now = SystemClock.monotonicSeconds()
        let totals = tally.current
        let rate = lastAt > 0 ? Double(totals.jobs - lastTotals.jobs) / (now - lastAt) : 0
        _ = try database.query(
            SQL.beat, workerID, Host.name, Int64(getpid()), families, Int64(laneCount), leads, "running", totals.jobs,
            totals.rejected, totals.retried, rate, totals.deferred, Array(health.problems.prefix(Self.mostProblems)),
            Int64(health.inHand.jobs), health.inHand.oldestSeconds)
        lastTotals = totals
        lastAt = now
    }

    /// Removes the row of a worker that ends as it was asked to. Others' rows go by ``Housekeeping``.
    func end(on database: inout Postgres.Connection) throws(PostgresError) {
        _ = try database.query(SQL.end, workerID)
    }

    enum SQL {
        static let beat: Statement = """
            insert into tenantry.workers as w
                (id, host, pid, families, lanes, leads, state, jobs, rejected, retried, jobs_per_second, deferred, problems, in_hand,
                 oldest_seconds)
            values ($1, $2, $3::int8::int4, $4, $5::int8::int4, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            on conflict (id) do update set leads = excluded.leads, state = excluded.state, jobs = excluded.jobs, rejected = excluded.rejected,
                retried = excluded.retried, jobs_per_second = excluded.jobs_per_second, deferred = excluded.deferred,
                problems = excluded.problems, in_hand = excluded.in_hand, oldest_seconds = excluded.oldest_seconds, seen_at = now()
            """
        static let end: Statement = "delete from tenantry.workers where id = $1"
    }
}
