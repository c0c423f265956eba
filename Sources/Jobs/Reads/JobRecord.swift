public import Contract
public import Postgres

/// A job as its sender may look it up: that it was sent, and what became of it. It shows no secret.
public struct JobRecord: Sendable {
    public enum Status: String, Sendable, CaseIterable, ClosedWord {
        case pending, succeeded, rejected
    }

    public let id: String
    public let kind: String
    /// nil: a job on no tenant.
    public let tenant: String?
    public let status: Status
    public let duplicate: Bool
    /// Objects; null where they do not apply.
    public let result: JSONValue
    public let error: JSONValue
    /// When the API has sent it, or else when it was done.
    public let sentAt: Timestamp

    public static let representation = Representation<JobRecord> {
        Member.text("job_id", \.id)
        Member.text("kind", \.kind)
        Member.text("tenant", \.tenant)
        Member.word("status", \.status)
        Member.boolean("duplicate", \.duplicate)
        Member.object("result", \.result)
        Member.object("error", \.error)
        Member.instant("sent_at", \.sentAt)
    }

    private typealias Member = Representation<JobRecord>.Member

    /// Keeps that a job is about to be sent, so that it can be looked up whatever becomes of it.
    ///
    /// - Parameter body: the payload.
    /// - Throws: `Rejection` (`conflict`) if the id stands for another job that was not rejected; `PostgresError`.
    public static func begin(
        _ id: String, _ kind: Kind, of principal: Principal, tenant: String?, body: [UInt8],
        on database: inout some Queryable & ~Copyable
    ) throws {
        let digest = body.withUnsafeBytes { Inbox.digest(of: $0) }
        let begun = try database.query(
            SQL.begin, principal.account, principal.tenant ?? "", id, kind.name, tenant ?? "", digest, principal.key,
            kind.hasInbox)
        guard begun.isEmpty else { return }
        throw Rejection(
            .conflict, "job id \(id) has been used for another job of this \(principal.tenant == nil ? "account" : "tenant")")
    }

    /// A job among the asker's own, sent by HTTP or by AMQP; nil: there is none of this id, or none any more.
    public static func find(
        _ id: String, of principal: Principal, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> JobRecord? {
        try database.query(SQL.find, principal.account, principal.tenant ?? "", id).decode(Found.init).first?.record
    }

    /// A row of ``SQL/find``.
    private struct Found {
        let id: String
        let kind: String
        let tenant: String
        let status: String
        let duplicate: Bool
        let result: JSONValue
        let error: JSONValue
        let sentAt: Timestamp

        var record: JobRecord {
            JobRecord(
                id: id, kind: kind, tenant: tenant.isEmpty ? nil : tenant, status: Status(rawValue: status) ?? .pending,
                duplicate: duplicate, result: result, error: error, sentAt: sentAt)
        }
    }

    enum SQL {
        /// What was rejected has left nothing behind, so its id is free; so is the hot kind's, which goes by its messages' ids.
        static let begin = Statement(begun.replacing("%", with: isAnew))
        private static let isAnew = "j.status = 'rejected' or j.body_digest is distinct from excluded.body_digest"
        private static let begun = """
            insert into tenantry.http_jobs as j (account, scope, job_id, kind, tenant, body_digest, credential)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (account, scope, job_id) do update
            set kind = excluded.kind, tenant = excluded.tenant, body_digest = excluded.body_digest, credential = excluded.credential,
                status = case when % then 'pending' else j.status end,
                duplicate = case when % then false else j.duplicate end, result = case when % then null else j.result end,
                error = case when % then null else j.error end, finished_at = case when % then null else j.finished_at end,
                sent_at = case when % then excluded.sent_at else j.sent_at end
            where j.status = 'rejected'
               or j.kind = excluded.kind and j.tenant = excluded.tenant and (j.body_digest = excluded.body_digest or not $8)
            returning 1
            """
        /// An answer in the inbox is the truth: whoever used the same id for something else later was rejected.
        static let find: Statement = """
            select job_id, kind, tenant, status, duplicate, result, error, sent_at
            from (
                select 1 as rank, job_id, kind, tenant, 'succeeded' as status, false as duplicate, result,
                       null::jsonb as error, created_at as sent_at
                from tenantry.inbox where account = $1 and scope = $2 and job_id = $3
                union all
                select 2, job_id, kind, tenant, status, duplicate, result, error, sent_at
                from tenantry.http_jobs where account = $1 and scope = $2 and job_id = $3
                union all
                (select 3, job_id, kind, coalesce(tenant, ''), 'rejected', false, null::jsonb,
                        jsonb_build_object('code', code, 'message', message, 'field', field), failed_at
                 from tenantry.dead_letters
                 where account = $1 and key <> '' and job_id = $3 and ($2 = '' or tenant = $2) order by failed_at desc limit 1)
            ) known
            order by rank limit 1
            """
    }
}
