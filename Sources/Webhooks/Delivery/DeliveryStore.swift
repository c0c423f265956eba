internal import Contract
internal import Jobs
internal import Postgres

/// Deliveries of one webhook that are made one after the other: first attempts, in the order of their events, are one line, later ones, when they
/// are due, another. A line is in one worker's hands at a time.
struct DeliveryLine: Sendable, Hashable {
    let webhook: String
    let isRetry: Bool
}

/// A webhook as it is now, for whoever calls it.
struct Endpoint: Sendable {
    let url: String
    let isEnabled: Bool
    /// The newest first; each signs.
    let secrets: [WebhookSecret]
}

/// A delivery whose turn it is.
struct DueDelivery: Sendable {
    let id: Int64
    /// Attempts so far.
    let attempt: Int
    let event: WebhookEvent
}

/// What came of an attempt.
struct AttemptResult: Sendable {
    let delivery: Int64
    /// This one's, 1 for the first.
    let attempt: Int
    let at: Timestamp
    let durationMilliseconds: Int64
    /// The answer's HTTP status.
    let status: Int?
    /// nil: it succeeded.
    let error: String?
    /// Seconds until the next attempt; nil where there is none.
    let wait: Double?

    var state: DeliveryRecord.State { error == nil ? .succeeded : wait == nil ? .failed : .pending }
    /// The receiver wants no more.
    var isGone: Bool { status == 410 }
}

/// What the database knows of deliveries: each call is one short transaction. All times are the database's, so that workers whose clocks differ agree.
struct DeliveryStore: Sendable {
    /// How long a line stays with a worker that says nothing: longer than an attempt and what is done around it take. Whatever is read or noted
    /// of the line renews it.
    static let leaseSeconds = 30.0
    /// Deliveries that are read, and made, before the next are.
    static let batch: Int64 = 64
    /// So long may attempts fail without one that succeeds.
    static let mostFailingDays: Int64 = 7

    /// Who has the lines.
    let holder: String
    let connection: QueuedConnection
    /// Seconds by which the clock of deliveries is ahead of the database's: tests have days go by.
    let ahead: @Sendable () -> Double

    /// Lines that have something to do and are in nobody's hands, those served longest ago first.
    func claim(most: Int) async throws -> [DeliveryLine] {
        try await connection.run { [ahead, holder] database in
            try database.query(SQL.claim, ahead(), most, holder, Self.leaseSeconds).decode { (webhook: String, isRetry: Bool) in
                DeliveryLine(webhook: webhook, isRetry: isRetry)
            }
        }
    }

    /// What is next in a line, which stays in hand for a while longer. nil: it is in hand no more, or its webhook is gone.
    func next(in line: DeliveryLine) async throws -> (endpoint: Endpoint, due: [DueDelivery])? {
        try await connection.run { [ahead, holder] database in
            let found = try database.query(SQL.endpoint, line.webhook, line.isRetry, holder, Self.leaseSeconds, ahead()).decode {
                (url: String, state: String, secrets: [[UInt8]]) in
                Endpoint(
                    url: url, isEnabled: state == WebhookState.enabled.rawValue,
                    secrets: secrets.map { WebhookSecret(bytes: $0) })
            }
            guard let endpoint = found.first else { return nil }
            guard endpoint.isEnabled else {
                // Events of before were committed after it was disabled.
                try database.transaction { database in try Disabling.giveUp(line.webhook, on: &database) }
                return (endpoint, [])
            }
            let rows =
                line.isRetry
                ? try database.query(SQL.nextRetries, line.webhook, Self.batch, ahead())
                : try database.query(SQL.nextFirst, line.webhook, Self.batch)
            return (endpoint, rows.decode(DueDelivery.init))
        }
    }

    /// How a line goes on after something of it was noted.
    enum Course: Sendable, Equatable {
        case goesOn
        /// Its webhook was disabled, and why.
        case disabled(String)
        /// It is in hand no more: whoever took this worker for dead goes on with it.
        case lost
    }

    /// Keeps what came of attempts, in order. A webhook that answered 410, or has failed for a week, is disabled.
    func record(_ results: [AttemptResult], of line: DeliveryLine) async throws -> Course {
        guard let last = results.last else { return .goesOn }
        return try await connection.run { [ahead, holder] database in
            try database.transaction { database in
                let held = try database.query(SQL.renew, line.webhook, line.isRetry, holder, Self.leaseSeconds)
                _ = try database.query(
                    SQL.record, results.map(\.delivery), results.map { Int64($0.attempt) }, results.map(\.state.rawValue),
                    results.map { $0.status.map { Int64($0) } }, results.map(\.durationMilliseconds), results.map(\.error),
                    results.map(\.at), results.map { $0.wait.map { Int64($0 * 1_000) } }, ahead())
                var reason: String?
                if last.error == nil {
                    _ = try database.query(SQL.succeeded, line.webhook)
                } else if try database.query(SQL.failed, line.webhook, ahead(), Self.mostFailingDays).first(Bool.self) == true {
                    reason = "no attempt has succeeded for \(Self.mostFailingDays) days"
                }
                if results.contains(where: \.isGone) { reason = "it answered 410 Gone" }
                if let reason { try Disabling.announce(line.webhook, because: reason, on: &database) }
                return reason.map { .disabled($0) } ?? (held.isEmpty ? .lost : .goesOn)
            }
        }
    }

    /// Gives lines back, for whoever comes next.
    func release(_ line: DeliveryLine) async throws {
        try await connection.run { [holder] database in
            _ = try database.query(SQL.release, line.webhook, line.isRetry, holder)
        }
    }

    enum SQL {
        /// Goes from one webhook that has something pending to the next by index, however much there is of each.
        /// `$1` seconds ahead, `$2` the most, `$3` the holder, `$4` seconds of a lease.
        static let claim: Statement = """
            with recursive first as (
                (select webhook from tenantry.webhook_deliveries where state = 'pending' and attempt = 0 order by webhook limit 1)
                union all
                select (
                    select d.webhook from tenantry.webhook_deliveries d
                    where d.state = 'pending' and d.attempt = 0 and d.webhook > f.webhook order by d.webhook limit 1
                ) from first f where f.webhook is not null
            ), again as (
                (select webhook from tenantry.webhook_deliveries where state = 'pending' and attempt > 0 order by webhook limit 1)
                union all
                select (
                    select d.webhook from tenantry.webhook_deliveries d
                    where d.state = 'pending' and d.attempt > 0 and d.webhook > a.webhook order by d.webhook limit 1
                ) from again a where a.webhook is not null
            ), ready as (
                select webhook, false as is_retry from first where webhook is not null
                union all
                select webhook, true from again a where webhook is not null and exists (
                    select from tenantry.webhook_deliveries d
                    where d.webhook = a.webhook and d.state = 'pending' and d.attempt > 0 and d.next_at <= now() + make_interval(secs => $1)
                )
            ), free as (
                select r.webhook, r.is_retry from ready r
                left join tenantry.webhook_lines l on l.webhook = r.webhook and l.is_retry = r.is_retry
                where l.until is null or l.until <= now()
                order by l.until nulls first limit $2
            )
            insert into tenantry.webhook_lines as l (webhook, is_retry, holder, until)
            select f.webhook, f.is_retry, $3, now() + make_interval(secs => $4) from free f
            join tenantry.webhooks w on w.id = f.webhook
            order by f.webhook, f.is_retry
            on conflict (webhook, is_retry) do update set holder = excluded.holder, until = excluded.until where l.until <= now()
            returning webhook, is_retry
            """
        private static let held = """
            update tenantry.webhook_lines set until = now() + make_interval(secs => $4)
            where webhook = $1 and is_retry = $2 and holder = $3 and until > now() returning webhook
            """
        static let renew = Statement(held)
        static let endpoint = Statement(
            """
            with line as (\(held))
            select w.url, w.state, array(
                select s.secret from tenantry.webhook_secrets s
                where s.webhook = w.id and (s.ends_at is null or s.ends_at > now() + make_interval(secs => $5)) order by s.id desc
            )
            from line join tenantry.webhooks w on w.id = line.webhook
            """)
        private static let columns =
            "d.id, d.attempt::int8, e.id::text, e.account, e.tenant, e.name, e.content_type, e.body, e.created_at"
        static let nextFirst = Statement(
            """
            select \(columns) from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and d.state = 'pending' and d.attempt = 0 order by d.id limit $2
            """)
        static let nextRetries = Statement(
            """
            select \(columns) from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and d.state = 'pending' and d.attempt > 0 and d.next_at <= now() + make_interval(secs => $3)
            order by d.next_at limit $2
            """)
        /// Whoever took this worker for dead may have been quicker, and so may a `resend`: then the row is not as it was.
        static let record: Statement = """
            update tenantry.webhook_deliveries d
            set attempt = r.attempt, state = r.state, status = r.status, duration_ms = r.duration, error = r.error, attempted_at = r.at,
                next_at = case when r.state = 'pending' then now() + make_interval(secs => $9 + r.wait / 1000.0) end
            from unnest($1::int8[], $2::int8[], $3::text[], $4::int8[], $5::int8[], $6::text[], $7::timestamptz[], $8::int8[])
                as r (id, attempt, state, status, duration, error, at, wait)
            where d.id = r.id and d.state = 'pending' and d.attempt = r.attempt - 1
            """
        static let succeeded: Statement =
            "update tenantry.webhooks set failing_since = null where id = $1 and failing_since is not null"
        static let failed: Statement = """
            update tenantry.webhooks set failing_since = coalesce(failing_since, now() + make_interval(secs => $2))
            where id = $1 and state = 'enabled'
            returning failing_since <= now() + make_interval(secs => $2) - make_interval(days => $3::int)
            """
        /// At once free for others, behind those that were served before.
        static let release: Statement =
            "update tenantry.webhook_lines set until = now() where webhook = $1 and is_retry = $2 and holder = $3"
    }
}

extension DueDelivery {
    /// A row of `SQL.nextFirst`.
    fileprivate init(
        id: Int64, attempt: Int64, event: String, account: String, tenant: String?, name: String, contentType: String,
        body: String,
        createdAt: Timestamp
    ) {
        self.id = id
        self.attempt = Int(attempt)
        self.event = WebhookEvent(
            id: event, account: account, tenant: tenant, name: name, contentType: contentType, published: body,
            createdAt: createdAt)
    }
}
