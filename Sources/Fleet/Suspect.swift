internal import AMQP
internal import Contract
internal import Postgres

/// A job that came back from several deaths of its worker and is now alone in hand; see ``Isolation``.
struct Suspect {
    let deliveryCount: Int64
    private let job: String

    /// nil when the batch is no suspect.
    init?(of batch: [Delivery]) throws {
        guard let delivery = batch.first, batch.count == 1, Isolation.isSuspect(deliveryCount: delivery.deliveryCount) else {
            return nil
        }
        deliveryCount = delivery.deliveryCount
        job = [delivery.routingKey, delivery.headerText(Header.tenant.constant) ?? "", delivery.messageID ?? ""].joined(
            separator: "/")
    }

    /// Notes that the job is about to be touched.
    ///
    /// - Returns: whether it has killed often enough to be given up.
    func begin(counting: Bool, on database: inout Postgres.Connection) throws(PostgresError) -> Bool {
        var parameters = Parameters()
        parameters.append(job)
        parameters.append(Int64(counting ? 1 : 0))
        let begunBefore = try database.query(SQL.begin, parameters).int(0, 0)
        return counting && Isolation.isCrashLoop(deliveryCount: deliveryCount, begun: begunBefore)
    }

    /// Notes that the worker survived the job.
    func end(on database: inout Postgres.Connection) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(job)
        _ = try database.query(SQL.end, parameters)
    }

    enum SQL {
        static let begin: Statement = """
            insert into tenantry.suspects as s (job, begun) values ($1, $2)
            on conflict (job) do update set begun = s.begun + excluded.begun, updated_at = now()
            returning begun - $2
            """
        static let end: Statement = "delete from tenantry.suspects where job = $1"
    }
}
