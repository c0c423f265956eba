internal import Jobs
internal import Postgres

/// The leader's duties that remove what nobody needs any more from the fleet's own tables.
enum Housekeeping {
    private static let intervalSeconds = 60.0

    /// - Parameter inboxHours: how long answers of finished jobs are kept for a repeat.
    static func duties(inboxHours: Int64) -> [LeaderDuty] {
        [
            duty("inbox cleanup") { database throws(PostgresError) in try database.query(SQL.removeInbox, inboxHours) },
            duty("rows of jobs by HTTP") { database throws(PostgresError) in
                try database.query(SQL.removeHTTPJobs, inboxHours)
            },
            duty("wrong passwords") { database throws(PostgresError) in try database.query(SQL.removeSignInFailures) },
            duty("stale workers") { database throws(PostgresError) in try database.query(SQL.removeWorkers) },
            duty("quarantine cleanup") { database throws(PostgresError) in try database.query(SQL.removeQuarantineNotes) },
            duty("erasures of dead letters") { database throws(PostgresError) in try database.query(SQL.removeErasures) },
            duty("refused jobs") { database throws(PostgresError) in try database.query(SQL.forgetRefusals) },
            duty("fleet credentials") { database throws(PostgresError) in try database.query(SQL.removeCredentials) },
        ]
    }

    /// One statement, in a transaction, so that it is not committed by a worker that leads no more.
    private static func duty(
        _ name: String, _ statement: @escaping @Sendable (inout Transaction) throws(PostgresError) -> Rows
    ) -> LeaderDuty {
        LeaderDuty(name, intervalSeconds: intervalSeconds) { database in _ = try database.transaction(statement) }
    }

    enum SQL {
        static let removeInbox: Statement = """
            delete from tenantry.inbox where (account, scope, job_id) in
                (select account, scope, job_id from tenantry.inbox where created_at < now() - $1 * interval '1 hour' limit 10000)
            """
        /// As long as answers are kept: from when the job ended, or, if it never did, was sent.
        static let removeHTTPJobs: Statement = """
            delete from tenantry.http_jobs where (account, scope, job_id) in
                (select account, scope, job_id from tenantry.http_jobs
                 where sent_at < now() - $1 * interval '1 hour' and coalesce(finished_at, sent_at) < now() - $1 * interval '1 hour' limit 10000)
            """
        static let removeSignInFailures: Statement =
            "delete from tenantry.sign_in_failures where at < now() - interval '15 minutes'"
        static let removeWorkers: Statement = "delete from tenantry.workers where seen_at < now() - interval '15 minutes'"
        static let removeQuarantineNotes: Statement =
            "delete from tenantry.suspects where updated_at < now() - interval '7 days'"
        /// By then no job of before an erasure is still being tried.
        static let removeErasures: Statement =
            "delete from tenantry.dead_letter_erasures where asked_at < now() - interval '30 days'"
        static let forgetRefusals: Statement = "select tenantry.forget_refused_jobs()"
        /// A token's session is kept: by it one finds what it has handed on.
        static let removeCredentials: Statement = """
            delete from tenantry.credentials where (role = 'fleet' or session_of is not null and role <> 'token') and expires_at < now()
            """
    }
}
