public import Postgres

/// How far the leader is behind in publishing what stands in the ``Outbox``.
public struct OutboxBacklog: Sendable {
    /// Messages that wait.
    public let messages: Int64
    /// The age of the oldest of them; 0 where none waits.
    public let lagSeconds: Double

    public static func read(on database: inout some Queryable & ~Copyable) throws(PostgresError) -> OutboxBacklog {
        let (messages, lagSeconds) = try database.query(SQL.read).only((Int64, Double).self)
        return OutboxBacklog(messages: messages, lagSeconds: lagSeconds)
    }

    enum SQL {
        static let read: Statement = """
            select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8 from tenantry.outbox
            """
    }
}
