public import AMQP
public import Contract
public import Postgres

/// A job that has been checked and authorized: the delivery that carries it, and who asks for what on which tenant.
public struct Job {
    /// The message itself; owns the memory that ``body`` points into.
    public let delivery: Delivery
    public let kind: Kind
    /// The idempotency key within the account (`message_id`), 1 to 128 characters.
    public let id: String
    public let principal: Principal
    /// The tenant that the job works on; there for every kind that needs one.
    public let tenant: TenantRecord?
    /// Why its tenant's state does not let it be done any more; what was done before is answered all the same.
    let refusal: Rejection?
    /// Whether somebody reads the result: handlers need not build one otherwise.
    public let wantsResult: Bool

    /// The payload's bytes, valid as long as ``delivery`` lives.
    public var body: UnsafeRawBufferPointer { delivery.body }

    /// Whose name space the job's id lives in: an account's slug, or `""` for an operator's jobs.
    public var account: String { principal.account }
}

@available(*, unavailable)
extension Job: Sendable {}

/// What became of one job.
public enum Outcome: Sendable {
    /// Its effect is in the transaction. `result` may be nil where the job does not want one.
    case succeeded(result: JSONValue?, isDuplicate: Bool)
    /// Its own fault: dead-lettered at once.
    case rejected(Rejection)
    /// What it needs may still be on its way: the ladder's first steps, then rejected as this.
    case notYet(Rejection)
    /// Not its fault: the whole ladder, then dead-lettered as `retries_exhausted` with this cause.
    case failed(cause: String)
}

/// One kind's code. Made once per lane, on the lane's thread, so it may keep buffers and caches without a lock.
public protocol JobHandler: AnyObject {
    var kind: Kind { get }
    /// The most jobs of one transaction. With 1, a thrown `Rejection` rolls back and rejects the job.
    var batchLimit: Int { get }
    /// Does the jobs' effects in the open transaction and says what became of each, in order.
    ///
    /// - Throws: `PostgresError` as the driver threw it (the lane splits, repeats or waits), or `Rejection` where ``batchLimit`` is 1.
    func handle(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws -> [Outcome]
}

/// A family: the kinds that share a queue, and how to make their handlers.
public struct JobFamily: Sendable {
    public let family: Family
    public let makeHandlers: @Sendable () -> [any JobHandler]

    public init(_ family: Family, _ makeHandlers: @escaping @Sendable () -> [any JobHandler]) {
        self.family = family
        self.makeHandlers = makeHandlers
    }
}
