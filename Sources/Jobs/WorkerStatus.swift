public import Postgres

/// A worker that runs now, as it told of itself in its last heartbeat.
public struct WorkerStatus: Sendable {
    public let id: String
    /// Its process id, on its own machine.
    public let pid: Int64
    /// The families that it serves.
    public let families: [String]
    public let lanes: Int64
    /// Whether it leads the fleet.
    public let leads: Bool
    /// Jobs since it started: done, rejected, and put off for another attempt.
    public let succeeded: Int64
    public let rejected: Int64
    public let retried: Int64
    /// Jobs since it started that there was no room for: they wait, and no attempt counts.
    public let deferred: Int64
    /// Of the last seconds.
    public let jobsPerSecond: Double
    public let secondsSinceHeartbeat: Double
    /// Jobs that it has taken and not acknowledged, and since when the oldest batch is worked at.
    public let inHand: Int64
    public let oldestSeconds: Double
    /// What keeps it from making progress; empty if nothing does.
    public let problems: [String]

    /// The workers that were heard of in the last 30 seconds, the oldest first.
    public static func list(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [WorkerStatus] {
        try database.query(SQL.list).decode(WorkerStatus.init)
    }

    /// Workers that were not stopped and are not heard of any more, the latest first; their rows are kept for a quarter of an hour.
    public static func gone(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [WorkerStatus] {
        try database.query(SQL.gone).decode(WorkerStatus.init)
    }

    public static let representation = Representation<WorkerStatus> {
        Member.text("id", \.id)
        Member.number("pid", \.pid)
        Member.texts("families", \.families)
        Member.number("lanes", \.lanes)
        Member.boolean("leads", \.leads)
        Member.number("succeeded", \.succeeded)
        Member.number("rejected", \.rejected)
        Member.number("retried", \.retried)
        Member.number("deferred", \.deferred)
        Member.real("jobs_per_second", \.jobsPerSecond)
        Member.number("in_hand", \.inHand)
        Member.real("oldest_seconds", \.oldestSeconds)
        Member.real("seen_seconds_ago", \.secondsSinceHeartbeat)
        Member.texts("problems", \.problems)
    }

    private typealias Member = Representation<WorkerStatus>.Member

    enum SQL {
        private static let columns = """
            id, pid, families, lanes, leads, jobs, rejected, retried, deferred, jobs_per_second,
                   extract(epoch from now() - seen_at)::float8, in_hand, oldest_seconds, problems
            """
        static let list = Statement(
            "select \(columns) from tenantry.workers where seen_at > now() - interval '30 seconds' order by started_at")
        static let gone = Statement(
            "select \(columns) from tenantry.workers where seen_at <= now() - interval '30 seconds' order by seen_at desc")
    }
}
