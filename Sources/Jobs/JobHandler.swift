public import Contract
public import Postgres

/// One kind's code. Made once per lane, on the lane's thread, so it may keep buffers and caches without a lock.
public protocol JobHandler: AnyObject {
    var kind: Kind { get }
    /// The most jobs of one transaction. With 1, a thrown `Rejection` rolls back and rejects the job.
    var batchLimit: Int { get }
    /// Does the jobs' effects in the open transaction and says what became of each, in order.
    ///
    /// - Throws: ``RunAgain`` to have the same jobs run once more, in a new transaction; `Rejection` or ``NotYet`` where ``batchLimit``
    ///   is 1. What the driver throws is passed on as it is: the lane splits the batch, repeats it or waits.
    func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome]
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

/// Thrown where what a job needs may still be on its way: the ladder's first steps, then rejected as this.
public struct NotYet: Error {
    public let rejection: Rejection

    public init(_ rejection: Rejection) {
        self.rejection = rejection
    }
}

/// Thrown where something changed under a transaction that it has to know: the same jobs run again at once, in a new one.
public struct RunAgain: Error {
    /// For the log, should it go on for too long.
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}
