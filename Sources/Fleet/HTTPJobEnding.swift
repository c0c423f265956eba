internal import AMQP
internal import Contract
internal import Jobs
internal import Postgres

/// What became of a job that came by HTTP, for its row in `tenantry.http_jobs`: whoever has not had the answer finds it there. A secret that an answer
/// shows once is not in it.
struct HTTPJobEnding {
    /// What tells a job's row.
    private struct Key: Hashable {
        let account: String
        let scope: String
        let jobID: String
    }

    private let key: Key
    private let kind: String
    private let status: Answer.Status
    private let isDuplicate: Bool
    /// nil: that of the inbox, in which there is no secret.
    private let result: String?
    private let error: String?

    private init(_ job: FinishedJob, _ sender: Principal, _ fate: JobFate, jobID: String) {
        key = Key(account: sender.account, scope: sender.tenant ?? "", jobID: jobID)
        kind = job.kind?.name ?? ""
        error = fate.rejection.map { String(decoding: $0.json.serialised(), as: UTF8.self) }
        guard case .succeeded(let result, let isRepeat) = fate else {
            status = .rejected
            isDuplicate = false
            self.result = nil
            return
        }
        status = .succeeded
        isDuplicate = isRepeat
        // The answer of a first time may show a secret. That of a repeat does not.
        let isOpen = isRepeat || job.kind?.hasInbox == false
        self.result = isOpen ? result.map { String(decoding: $0.serialised(), as: UTF8.self) } : nil
    }

    /// A job that is given up, and whose credential did not hold or was not looked at: its row is found by what it came with.
    private struct Unknown {
        let bearer: Bearer
        let jobID: String
        let error: String
    }

    /// Notes how jobs ended, before they are acknowledged: a statement for all that came by HTTP, none where there is no such job. A job that is to be
    /// tried again stays as it is.
    static func write(
        _ jobs: [FinishedJob], _ ladder: RetryLadder, on database: inout Postgres.Connection
    ) throws(PostgresError) {
        var endings: [Key: HTTPJobEnding] = [:]
        var unknown: [Unknown] = []
        for job in jobs where job.isByHTTP {
            let fate = ladder.fate(of: job.outcome, delivery: job.delivery)
            if case .waiting = fate { continue }
            // Without an id that could be one, there is no row.
            guard let jobID = job.delivery.messageID, !jobID.utf8.contains(0) else { continue }
            if let sender = job.sender {
                let ending = HTTPJobEnding(job, sender, fate, jobID: jobID)
                // Of one that is twice in a batch, what is done counts.
                if endings[ending.key]?.status != .succeeded { endings[ending.key] = ending }
            } else if let rejection = fate.rejection,
                let bearer = job.delivery.headerText(Header.authorization.constant).flatMap({ Bearer($0) })
            {
                let error = String(decoding: rejection.json.serialised(), as: UTF8.self)
                unknown.append(Unknown(bearer: bearer, jobID: jobID, error: error))
            }
        }
        if !endings.isEmpty { try write(Array(endings.values), on: &database) }
        guard !unknown.isEmpty else { return }
        _ = try database.query(
            SQL.endUnknown, unknown.map(\.bearer.key), unknown.map { $0.bearer.secretHash.hexadecimal }, unknown.map(\.jobID),
            unknown.map(\.error))
    }

    private static func write(_ endings: [HTTPJobEnding], on database: inout Postgres.Connection) throws(PostgresError) {
        _ = try database.query(
            SQL.end, endings.map(\.key.account), endings.map(\.key.scope), endings.map(\.key.jobID), endings.map(\.kind),
            endings.map(\.status.rawValue), endings.map(\.isDuplicate), endings.map(\.result), endings.map(\.error))
    }

    enum SQL {
        /// Done once more it changes nothing. What succeeded stays so, whatever comes later under the same id.
        static let end: Statement = """
            with held as (
                select j.account, j.scope, j.job_id, a.status, a.duplicate, a.result, a.error
                from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[], $8::text[])
                    as a (account, scope, job_id, kind, status, duplicate, result, error)
                join tenantry.http_jobs j on (j.account, j.scope, j.job_id) = (a.account, a.scope, a.job_id)
                where j.kind = a.kind and j.status <> 'succeeded'
                order by j.account, j.scope, j.job_id for update of j
            )
            update tenantry.http_jobs j
            set status = h.status, duplicate = h.duplicate, error = h.error::jsonb, finished_at = clock_timestamp(),
                result = case when h.status = 'succeeded' then coalesce(
                    h.result::jsonb,
                    (select i.result from tenantry.inbox i where (i.account, i.scope, i.job_id) = (h.account, h.scope, h.job_id)), '{}') end
            from held h where (j.account, j.scope, j.job_id) = (h.account, h.scope, h.job_id)
            """
        /// Only for whoever knew the secret.
        static let endUnknown: Statement = """
            update tenantry.http_jobs j set status = 'rejected', error = a.error::jsonb, finished_at = clock_timestamp()
            from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as a (key, secret_hash, job_id, error)
            join tenantry.credentials c on c.key = a.key and c.secret_hash = decode(a.secret_hash, 'hex')
            where (j.account, j.scope, j.job_id) = (coalesce(c.account, ''), coalesce(c.tenant, ''), a.job_id)
              and j.credential = a.key and j.status = 'pending'
            """
    }
}

extension JobFate {
    /// Why it is given up; nil if it is not.
    var rejection: Rejection? {
        guard case .dead(let rejection) = self else { return nil }
        return rejection
    }
}

extension Delivery {
    /// Whether the job came by HTTP, and has a row of its own.
    var isByHTTP: Bool { headerBool(Header.http.constant) == true }
}
