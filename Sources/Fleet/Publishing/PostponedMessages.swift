internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Postgres

/// Dead letters and retries that the broker does not take, kept in `tenantry.postponed_messages`: their jobs can be acknowledged nevertheless.
enum PostponedMessages {
    /// What is kept at most. Beyond that, jobs stay in hand until the broker takes what is to be published.
    static let mostMessages: Int64 = 100_000
    static let mostBytes: Int64 = 1 << 30

    /// Keeps messages, in a statement.
    ///
    /// - Returns: whether there was room for them.
    static func keep(
        _ messages: [Publisher.OutgoingMessage], on database: inout Postgres.Connection
    ) throws(PostgresError) -> Bool {
        let bodies = messages.map { message in
            switch message.body {
            case .bytes(let bytes): bytes
            case .delivery(let delivery): delivery.withBody { Array($0) }
            }
        }
        let kept = try database.query(
            SQL.keep, messages.map(\.exchange), messages.map { Array($0.routingKey.utf8) }, messages.map { Self.wire($0) },
            bodies,
            Self.mostMessages, Self.mostBytes)
        return kept.count == messages.count
    }

    private static func wire(_ message: Publisher.OutgoingMessage) -> [UInt8] {
        // What AMQP cannot carry does not go out as it is, either; reduced, it can be carried.
        (try? message.properties.wire()) ?? (try? message.properties.reduced().wire()) ?? []
    }

    enum SQL {
        static let keep: Statement = """
            insert into tenantry.postponed_messages (exchange, routing_key, properties, body)
            select m.exchange, m.routing_key, m.properties, m.body
            from unnest($1::text[], $2::bytea[], $3::bytea[], $4::bytea[]) with ordinality
                as m (exchange, routing_key, properties, body, number)
            where (select count(*) < $5::int8 and coalesce(sum(octet_length(body)), 0) < $6::int8 from tenantry.postponed_messages)
            order by m.number returning id
            """
        static let next: Statement = """
            select id, exchange, routing_key, properties, body from tenantry.postponed_messages
            where next_at <= clock_timestamp() order by next_at, id limit $1 for update skip locked
            """
        /// The waits double from a second to a minute.
        static let postpone: Statement = """
            update tenantry.postponed_messages
            set attempts = attempts + 1, next_at = clock_timestamp() + least(60, power(2, least(attempts, 6))) * interval '1 second'
            where id = any($1)
            """
        static let remove: Statement = "delete from tenantry.postponed_messages where id = any($1)"
        static let count: Statement = "select count(*) from tenantry.postponed_messages"
    }
}

extension PostponedMessages {
    /// The leader's duty that publishes them.
    struct Relay {
        private static let intervalSeconds = 0.5
        /// Messages of one round; bodies may have 16 MiB each.
        private static let batch: Int64 = 16

        private let publisher: Publisher
        private let topology: TopologyOwner
        private let leases: Leases
        private let declaresTopology: Bool
        private let waiting = Gauge(label: "tenantry_postponed_messages")

        init(_ publisher: Publisher, _ options: FleetOptions, _ leases: Leases) {
            self.leases = leases
            self.publisher = publisher
            topology = TopologyOwner(options)
            declaresTopology = options.declaresTopology
        }

        var duty: Duty {
            Duty(name: "postponed messages", intervalSeconds: Self.intervalSeconds, needsBroker: true) { database in
                while try round(on: &database) {}
                waiting.record(try database.query(SQL.count).only(Int64.self))
            }
        }

        /// One round in one transaction.
        ///
        /// - Returns: whether all of it went out, and there may be more.
        private func round(on database: inout Postgres.Connection) throws -> Bool {
            try database.transaction { database in
                let rows = try database.query(SQL.next, Self.batch).decode(Waiting.init)
                guard !rows.isEmpty else { return false }
                guard leases.isHeld(Leases.leader) else { throw Leases.Over() }
                let failed = try publish(rows)
                if !failed.isEmpty { _ = try database.query(SQL.postpone, failed.map { rows[$0].id }) }
                let sent = rows.indices.filter { !failed.contains($0) }.map { rows[$0].id }
                _ = try database.query(SQL.remove, sent)
                return failed.isEmpty && rows.count == Int(Self.batch)
            }
        }

        /// - Returns: those that did not arrive, by index.
        private func publish(_ rows: [Waiting]) throws -> Set<Int> {
            do throws(AMQPError) {
                let failures = try publisher.send(rows.map(\.message))
                if !failures.unroutable.isEmpty, declaresTopology { try declareAnew() }
                // A channel that a full queue has refused something goes on refusing for it, also when there is room again.
                if !failures.refused.isEmpty { publisher.reset() }
                return failures.all
            } catch {
                guard error.replyCode != nil, error.replyCode != 320 else { throw error }
                if error.replyCode == 404, declaresTopology { try declareAnew() }
                // One of them made the broker close: each goes alone, and whichever it is waits for longer and longer.
                return try alone(rows)
            }
        }

        private func alone(_ rows: [Waiting]) throws -> Set<Int> {
            var failed: Set<Int> = []
            for (index, row) in rows.enumerated() {
                do throws(AMQPError) {
                    if try !publisher.send([row.message]).all.isEmpty { failed.insert(index) }
                } catch {
                    guard error.replyCode != nil, error.replyCode != 320 else { throw error }
                    failed.insert(index)
                }
            }
            return failed
        }

        private func declareAnew() throws(AMQPError) {
            topology.lost(try topology.declare())
            _ = try topology.declare()
        }
    }

    /// A row.
    private struct Waiting {
        let id: Int64
        let exchange: String
        let routingKey: [UInt8]
        let properties: [UInt8]
        let body: [UInt8]

        var message: Publisher.OutgoingMessage {
            Publisher.OutgoingMessage(
                exchange: exchange, routingKey: String(decoding: routingKey, as: UTF8.self),
                properties: properties.withUnsafeBytes { Properties(wire: $0) }, body: .bytes(body), isMandatory: true)
        }
    }
}
