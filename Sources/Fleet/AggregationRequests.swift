internal import AMQP
internal import Contract
internal import Postgres

/// The leader's own jobs: `usage.aggregate` for every account that was used since its last one, or since its last recount if that was a day
/// ago, under a credential of the fleet that is good for this kind alone and expires by itself.
struct AggregationRequests {
    private static let lifetimeSeconds = 12.0 * 3_600

    private let bearer: Bearer
    private let madeAt: Double

    init(on database: inout Postgres.Connection) throws(PostgresError) {
        bearer = Bearer.make(prefix: "flt")
        madeAt = Clock.monotonicSeconds()
        var parameters = Parameters()
        parameters.append(bearer.key)
        parameters.append(bytes: bearer.secretHash)
        _ = try database.query(SQL.issue, parameters)
    }

    /// Whether it is time for a new credential; the old one lives long enough for what was sent with it.
    var isStale: Bool { Clock.monotonicSeconds() - madeAt > Self.lifetimeSeconds }

    func send(every seconds: Double, from database: inout Postgres.Connection, to publisher: Publisher) throws {
        var parameters = Parameters()
        parameters.append(seconds)
        let rows = try database.query(SQL.due, parameters)
        let now = Clock.nowMicroseconds()
        let messages = (0..<rows.count).map { row in
            let account = rows.text(row, 0)
            var properties = Properties(contentType: "application/json")
            properties.type = Kind.usageAggregate.name
            // The same until the account has been aggregated: what is asked for again meanwhile is a duplicate, and costs nothing.
            properties.messageID = "fleet-\(account)-\(rows.int(row, 1))"
            properties.timestamp = UInt64(now / 1_000_000)
            properties.headers = [Header.authorization.name: .text("Bearer \(bearer.token)")]
            return Publisher.Message(
                exchange: Topology.jobsExchange, routingKey: Kind.usageAggregate.name, properties: properties,
                body: .bytes(JSONValue.object(["account": .string(account)]).serialised()))
        }
        _ = try publisher.send(messages)
    }

    enum SQL {
        static let issue: Statement = """
            insert into tenantry.credentials (key, role, name, secret_hash, expires_at)
            values ($1, 'fleet', 'usage.aggregate', $2, now() + interval '1 day')
            """
        static let due: Statement = """
            select a.slug, case when a.aggregated_at = '-infinity' then 0 else extract(epoch from a.aggregated_at) * 1000000 end::int8
            from tenantry.accounts a
            where a.aggregated_at < now() - $1 * interval '1 second'
              and exists (
                  select from tenantry.account_usage u where u.account = a.slug and u.changed_at >
                      case when a.recounted_at < now() - interval '24 hours' then a.recounted_at else a.aggregated_at end)
            order by a.aggregated_at limit 1000
            """
    }
}
