internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres

/// What `tenantry.dead_letters` keeps of a letter. All of it can also be read off the letter.
struct DeadLetterRow {
    private let id: String
    private let jobID: String
    private let kind: String
    private let account: String
    private let tenant: String?
    private let key: String
    private let code: String
    private let message: String
    private let field: String?
    private let attempts: Int64
    private let failedAt: Timestamp
    private let bodyBytes: Int64
    private let isSealed: Bool
    private let redacted: String

    init(_ letter: DeadLetter, _ delivery: Delivery) {
        id = letter.id
        jobID = Self.clean(delivery.messageID ?? "")
        kind = Self.clean(letter.kind)
        account = letter.account
        tenant = delivery.headerText(Header.tenant.constant).map { Self.clean($0) }
        key = letter.key
        code = letter.rejection.code.rawValue
        message = Self.clean(letter.rejection.message)
        field = letter.rejection.field.map { Self.clean($0) }
        attempts = letter.attempts
        failedAt = Timestamp(microsecondsSince1970: letter.failedAt)
        bodyBytes = Int64(delivery.bodyBytes)
        isSealed = letter.seal != nil
        redacted = letter.redacted.joined(separator: " ")
    }

    /// Of a letter in the queue; its account is that of its key.
    init(_ letter: DeadLetterQueue.Letter, id: String) {
        self.id = id
        jobID = Self.clean(letter.jobID)
        kind = Self.clean(letter.kind)
        account = ""
        tenant = letter.tenant.map { Self.clean($0) }
        key = letter.key
        code = Self.clean(letter.code)
        message = Self.clean(letter.message)
        field = letter.field.map { Self.clean($0) }
        attempts = letter.attempts
        failedAt = Timestamp(
            microsecondsSince1970: letter.failedAt.flatMap { RFC3339.microseconds($0) } ?? SystemClock.nowMicroseconds())
        bodyBytes = letter.delivery.headerInt(Header.bodyBytes.constant) ?? Int64(letter.delivery.bodyBytes)
        isSealed = letter.isSealed
        redacted = Self.clean(letter.redacted.joined(separator: " "))
    }

    /// Without the one character that PostgreSQL does not take, and no longer than a person reads.
    private static func clean(_ text: String) -> String {
        let clipped = text.clipped(bytes: 1_024)
        return clipped.utf8.contains(0) ? clipped.replacing("\0", with: "") : clipped
    }

    /// Writes rows, in a statement.
    ///
    /// - Parameter seenAt: when the letters were seen in the queue. Of rows that are there already only this is changed.
    static func write(
        _ rows: [DeadLetterRow], seenAt: Timestamp? = nil, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) {
        guard !rows.isEmpty else { return }
        _ = try database.query(
            SQL.write, rows.map(\.id), rows.map(\.jobID), rows.map(\.kind), rows.map(\.account), rows.map(\.tenant),
            rows.map(\.key),
            rows.map(\.code), rows.map(\.message), rows.map(\.field), rows.map(\.attempts), rows.map(\.failedAt),
            rows.map(\.bodyBytes), rows.map(\.isSealed), rows.map(\.redacted), seenAt)
    }

    enum SQL {
        static let write: Statement = """
            insert into tenantry.dead_letters
                (id, job_id, kind, account, tenant, key, code, message, field, attempts, failed_at, body_bytes, is_sealed, redacted, seen_at)
            select distinct on (a.id) a.id::uuid, a.job_id, a.kind,
                   coalesce(nullif(a.account, ''), (select c.account from tenantry.credentials c where c.key = a.key and a.is_sealed), ''),
                   a.tenant, a.key, a.code, a.message, a.field, a.attempts, a.failed_at, a.body_bytes, a.is_sealed, a.redacted,
                   $15::timestamptz
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                        $10::int8[], $11::timestamptz[], $12::int8[], $13::bool[], $14::text[])
                 as a (id, job_id, kind, account, tenant, key, code, message, field, attempts, failed_at, body_bytes, is_sealed, redacted)
            on conflict (id) do update set seen_at = excluded.seen_at
            """
    }
}
