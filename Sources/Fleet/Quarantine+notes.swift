internal import AMQP
internal import Contract
internal import Jobs
internal import Postgres

extension Quarantine {
    /// Deliveries that may be tried together.
    struct Part: Sendable {
        let deliveries: [Delivery]
        /// How often the worst of them was begun before, and not finished.
        let begun: Int64
        fileprivate let jobs: [String]

        /// Each of its deliveries by itself.
        var singles: [Part] {
            deliveries.map { Part(deliveries: [$0], begun: begun, jobs: $0.cameBack ? [Notes.name(of: $0)] : []) }
        }

        /// Whether nothing else may be in hand meanwhile.
        var isAlone: Bool { Quarantine.isAlone(begun: begun) }
    }

    /// A lane's notes, in `tenantry.suspects`, of which deliveries that came back were begun and not finished.
    struct Notes {
        /// Noted as begun by this lane, and neither finished nor taken back.
        private var open: [String] = []

        /// Cuts a batch where its jobs' past asks for it, in order. A batch in which nothing came back stays whole and costs nothing.
        func parts(of batch: [Delivery], on database: inout Postgres.Connection) throws(PostgresError) -> [Part] {
            let jobs = batch.map { $0.cameBack ? Self.name(of: $0) : nil }
            let known = Set(jobs.compactMap { $0 })
            guard !known.isEmpty else { return [Part(deliveries: batch, begun: 0, jobs: [])] }
            let rows = try database.query(SQL.past, known.sorted())
            let past = Dictionary(uniqueKeysWithValues: rows.decode((String, Int64).self))
            var parts: [Part] = []
            var start = 0
            while start < batch.count {
                var begun: Int64 = 0
                var end = start
                while end < batch.count {
                    let own = max(begun, jobs[end].flatMap { past[$0] } ?? 0)
                    guard end == start || Quarantine.batchLimit(begun: own, limit: batch.count) > end - start else { break }
                    begun = own
                    end += 1
                }
                let names = Set(jobs[start..<end].compactMap { $0 })
                parts.append(Part(deliveries: Array(batch[start..<end]), begun: begun, jobs: names.sorted()))
                start = end
            }
            return parts
        }

        /// Notes that a part is about to be touched.
        mutating func begin(_ part: Part, on database: inout Postgres.Connection) throws(PostgresError) {
            try takeBack(on: &database)
            guard !part.jobs.isEmpty else { return }
            // Whether this is committed is unknown if it throws. One too many is taken back, one too few does not matter.
            open = part.jobs
            _ = try database.query(SQL.begin, part.jobs)
        }

        /// Notes that the worker survived what it has begun.
        mutating func end(on database: inout Postgres.Connection) throws(PostgresError) {
            try close(SQL.end, on: &database)
        }

        /// What was begun and then interrupted by the loss of a server did not kill the worker.
        mutating func takeBack(on database: inout Postgres.Connection) throws(PostgresError) {
            try close(SQL.takeBack, on: &database)
        }

        private mutating func close(_ statement: Statement, on database: inout Postgres.Connection) throws(PostgresError) {
            guard !open.isEmpty else { return }
            _ = try database.query(statement, open)
            open = []
        }

        /// A job's name among all jobs. Cut to what an index takes, without the one character that PostgreSQL does not.
        fileprivate static func name(of delivery: Delivery) -> String {
            let sender = Bearer(delivery.headerText(Header.authorization.constant) ?? "")?.key ?? ""
            let words = [
                delivery.messageID ?? "", delivery.routingKey, delivery.headerText(Header.tenant.constant) ?? "", sender,
            ]
            return String(
                String.UnicodeScalarView(words.joined(separator: " ").unicodeScalars.lazy.filter { $0 != "\0" }.prefix(500)))
        }

        enum SQL {
            static let past: Statement = "select job, begun::int8 from tenantry.suspects where job = any($1)"
            static let begin: Statement = """
                insert into tenantry.suspects as s (job, begun) select job, 1 from unnest($1::text[]) as j (job) order by job
                on conflict (job) do update set begun = s.begun + 1, updated_at = now()
                """
            static let end: Statement = "delete from tenantry.suspects where job = any($1)"
            static let takeBack: Statement =
                "update tenantry.suspects set begun = begun - 1 where job = any($1) and begun > 0"
        }
    }
}

extension Delivery {
    /// Whether it may have been in a worker's hands before.
    var cameBack: Bool { redelivered || header(Header.renewed.constant) != nil }
}
