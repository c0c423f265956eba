public import Postgres

/// What the fleet's own tables say of it, for people.
public enum FleetStatus {
    /// A worker that has given a sign of life within the last 30 seconds.
    public struct WorkerRow: Sendable {
        public let id: String
        public let processID: Int64
        /// Separated by commas.
        public let families: String
        public let lanes: Int64
        public let leads: Bool
        /// Jobs that succeeded, were rejected or wait for another attempt, since the worker started.
        public let jobs: Int64
        public let rejected: Int64
        public let retried: Int64
        public let jobsPerSecond: Double
        public let seenSecondsAgo: Double
    }

    /// All workers, the oldest first.
    public static func workers(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> [WorkerRow] {
        try database.query(SQL.workers).decode(WorkerRow.init)
    }

    /// How many messages wait in the outbox, and how long the oldest has.
    public static func outbox(
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> (messages: Int64, lagSeconds: Double) {
        let (messages, lagSeconds) = try database.query(SQL.outbox).only((Int64, Double).self)
        return (messages, lagSeconds)
    }

    enum SQL {
        static let workers: Statement = """
            select id, pid::int8, array_to_string(families, ','), lanes::int8, leads, jobs, rejected, retried, jobs_per_second,
                   extract(epoch from now() - seen_at)::float8
            from tenantry.workers where seen_at > now() - interval '30 seconds' order by started_at
            """
        static let outbox: Statement =
            "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from tenantry.outbox"
    }
}
