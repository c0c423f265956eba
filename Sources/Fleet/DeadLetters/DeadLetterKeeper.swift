internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Postgres
internal import Synchronization

/// The leader's duty for dead letters: takes off the queue what is too old, too many or was erased, and keeps `tenantry.dead_letters` in step with
/// it.
///
/// Rows and letters are written one after the other, so a worker that dies between them leaves a row without a letter; and a letter may be put
/// there, or taken, by other hands. A difference that stands for two rounds is settled by looking at the whole queue.
final class DeadLetterKeeper: Sendable {
    /// Letters that one round takes off at most. The next goes on.
    private static let mostPerRound: Int64 = 10_000
    /// Rows of one statement.
    private static let batch = 500

    /// Why a letter is looked for.
    private enum Reason: String, CaseIterable {
        case age, count, erasure
    }

    private let broker: BrokerURL
    private let retentionDays: Int64
    private let most: Int64
    private let intervalSeconds: Double
    private let last = Mutex(Outcome())

    /// What the round before has left.
    private struct Outcome {
        /// Letters less rows.
        var difference = 0
        /// Whether a letter that has a row was not there: the numbers may agree nevertheless.
        var isLacking = false
    }

    private let kept = Gauge(label: "tenantry_dead_letters")
    private let removed: [Reason: Counter]

    init(_ options: FleetOptions) {
        broker = options.broker
        retentionDays = options.deadRetentionDays
        most = options.mostDeadLetters
        intervalSeconds = options.deadIntervalSeconds
        removed = Dictionary(
            uniqueKeysWithValues: Reason.allCases.map {
                ($0, Counter(label: "tenantry_dead_letters_removed_total", dimensions: [("reason", $0.rawValue)]))
            })
    }

    var duty: LeaderDuty {
        LeaderDuty("dead letters", intervalSeconds: intervalSeconds, isBackground: true) { [self] in try round(on: &$0) }
    }

    private func round(on database: inout Postgres.Connection) throws {
        let (rows, now) = try database.query(SQL.state).only((Int64, Timestamp).self)
        kept.record(rows)
        let due = try database.query(SQL.due, retentionDays, most, Self.mostPerRound).decode((String, String).self)
        let queue = try DeadLetterQueue(broker)
        defer { queue.close() }
        let difference = try queue.count() - Int(rows)
        let isOff = last.withLock { last in
            defer { last = Outcome(difference: difference) }
            return difference != 0 && difference == last.difference || last.isLacking
        }
        guard isOff || !due.isEmpty else { return }
        var visit = Visit(
            began: now, isWhole: isOff, erasures: try DeadLetterErasure.all(on: &database),
            wanted: Dictionary(due.map { ($0.0, Reason(rawValue: $0.1) ?? .age) }, uniquingKeysWith: { first, _ in first }))
        try look(through: queue, &visit, on: &database)
    }

    private struct Visit {
        let began: Timestamp
        /// Whether each letter is to have its row, and each row its letter.
        let isWhole: Bool
        let erasures: [String: DeadLetterErasures]
        /// By the letter's id.
        var wanted: [String: Reason]
        var seen: [DeadLetterRow] = []
        var gone: [String] = []
        /// In a look at the whole queue: a letter that is there twice, since whoever wrote it anew died, goes once.
        var met: Set<String> = []
    }

    private func look(through queue: DeadLetterQueue, _ visit: inout Visit, on database: inout Postgres.Connection) throws {
        var isAtEnd = false
        while visit.isWhole || !visit.wanted.isEmpty {
            guard let letter = try queue.next() else {
                isAtEnd = true
                break
            }
            let isOurs = !letter.delivery.headers.entries.contains { $0.name.lowercased() == Header.authorization.name }
            guard let id = letter.id, isOurs else {
                if visit.isWhole { try adopt(letter, from: queue) }
                continue
            }
            if visit.isWhole, !visit.met.insert(id).inserted {
                try queue.discard(letter)
                continue
            }
            try look(at: letter, id, from: queue, &visit)
            if visit.seen.count + visit.gone.count >= Self.batch { try write(&visit, on: &database) }
        }
        try write(&visit, on: &database)
        // What was not met may be in others' hands just now; the next round looks at everything.
        guard isAtEnd else { return }
        if visit.isWhole {
            _ = try database.query(SQL.removeUnseen, visit.began)
        } else if !visit.wanted.isEmpty {
            last.withLock { $0.isLacking = true }
        }
    }

    private func look(at letter: DeadLetterQueue.Letter, _ id: String, from queue: DeadLetterQueue, _ visit: inout Visit) throws {
        let wanted = visit.wanted.removeValue(forKey: id)
        let isErased = letter.tenant.flatMap { visit.erasures[$0] }.map { erasures in
            letter.delivery.withBody { erasures.concern(kind: letter.kind, body: $0, isCut: letter.isCut) }
        }
        let reason = wanted.flatMap { $0 == .erasure ? nil : $0 } ?? (isErased == true ? .erasure : nil)
        if let reason {
            try queue.discard(letter)
            visit.gone.append(id)
            removed[reason]?.increment()
        } else if wanted != nil || visit.isWhole {
            visit.seen.append(DeadLetterRow(letter, id: id))
        }
    }

    private func write(_ visit: inout Visit, on database: inout Postgres.Connection) throws {
        try DeadLetterRow.write(visit.seen, seenAt: visit.began, on: &database)
        try DeadLetterRecord.remove(visit.gone, on: &database)
        visit.seen = []
        visit.gone = []
    }

    /// Gives a letter that no worker of this version wrote an id, and takes its secrets away. It comes again in this visit.
    private func adopt(_ letter: DeadLetterQueue.Letter, from queue: DeadLetterQueue) throws {
        let remainder = letter.delivery.withBody { Redaction.remainder(of: $0) }
        try queue.rewrite(letter, body: remainder?.body) { properties in
            let key = letter.key
            properties.headers = DeadLetter.withoutCredential(properties.headers)
            properties.headers[Header.letter.name] = .text(DeadLetter.makeID())
            properties.headers[Header.seal.name] = nil
            properties.headers[Header.key.name] = key.isEmpty ? nil : .text(key)
            if let remainder { properties.headers[Header.redacted.name] = .text(remainder.pointers.joined(separator: " ")) }
            if letter.failedAt == nil {
                properties.headers[Header.failedAt.name] = .text(RFC3339.text(SystemClock.nowMicroseconds()))
            }
        }
    }

    enum SQL {
        /// The time is from before any transaction that is still open: what one of them erases, a visit that begins now has not seen.
        static let state: Statement = """
            select count(*), least(clock_timestamp(), (
                select min(xact_start) from pg_catalog.pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()))
            from tenantry.dead_letters
            """
        /// `$1` days, `$2` letters that may stay, `$3` the most of each.
        static let due: Statement = """
            (select id::text, 'age' from tenantry.dead_letters where failed_at < now() - $1 * interval '1 day'
             order by failed_at, id limit $3)
            union all
            (select id::text, 'count' from tenantry.dead_letters order by failed_at, id
             limit least(greatest((select count(*) from tenantry.dead_letters) - $2::int8, 0), $3))
            union all
            (select d.id::text, 'erasure' from tenantry.dead_letters d
             where d.tenant in (select tenant from tenantry.dead_letter_erasures) and exists (
                 select from tenantry.dead_letter_erasures e
                 where e.tenant = d.tenant and e.asked_at > coalesce(d.seen_at, '-infinity'))
             limit $3)
            """
        /// Rows whose letters a look at the whole queue has not met. One that was written a moment ago may have its letter on its way.
        static let removeUnseen: Statement = """
            delete from tenantry.dead_letters
            where coalesce(seen_at, '-infinity') < $1 and failed_at < $1 - interval '1 minute'
            """
    }
}
