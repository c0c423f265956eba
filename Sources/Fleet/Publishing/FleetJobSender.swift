internal import AMQP
internal import Contract
internal import Jobs
internal import Postgres

/// Sends the jobs that the leader's duties ask for, under a credential of the fleet that expires by itself.
final class FleetJobSender {
    private static let lifetimeSeconds = 12.0 * 3_600

    private let publisher: Publisher
    /// Asked for and not sent yet.
    private var waiting: [FleetJob] = []
    private var bearer: Bearer?
    private var madeAt = 0.0

    init(_ publisher: Publisher) {
        self.publisher = publisher
    }

    /// Sends what was asked for since the last turn.
    var duty: Duty {
        Duty(name: "fleet jobs", intervalSeconds: DutyRunner.turnSeconds, needsBroker: true) { [self] database in
            guard !waiting.isEmpty else { return }
            try send(waiting, from: &database)
            waiting = []
        }
    }

    /// A leader's duty whose jobs are sent by this one.
    func duty(_ duty: LeaderDuty) -> Duty {
        Duty(name: duty.name, intervalSeconds: duty.intervalSeconds) { [self] database in
            waiting += try duty.perform(&database)
        }
    }

    private func send(_ jobs: [FleetJob], from database: inout Postgres.Connection) throws {
        let bearer = try credential(on: &database)
        let now = SystemClock.nowMicroseconds()
        _ = try publisher.send(
            jobs.map { job in
                var properties = Properties(contentType: "application/json")
                properties.type = job.kind.name
                properties.messageID = job.id
                properties.timestamp = UInt64(now / 1_000_000)
                properties.headers = [Header.authorization.name: .text("Bearer \(bearer.token)")]
                return Publisher.OutgoingMessage(
                    exchange: Topology.jobsExchange, routingKey: job.kind.name, properties: properties,
                    body: .bytes(job.payload.serialised()))
            })
    }

    /// A new one after half a day: the old one lives long enough for what was sent with it.
    private func credential(on database: inout Postgres.Connection) throws(PostgresError) -> Bearer {
        let now = SystemClock.monotonicSeconds()
        if let bearer, now - madeAt < Self.lifetimeSeconds { return bearer }
        let fresh = Bearer.make(prefix: "flt")
        _ = try database.query(SQL.issue, fresh.key, fresh.secretHash)
        bearer = fresh
        madeAt = now
        return fresh
    }

    enum SQL {
        static let issue: Statement = """
            insert into tenantry.credentials (key, role, name, secret_hash, expires_at)
            values ($1, 'fleet', 'leader duties', $2, now() + interval '1 day')
            """
    }
}
