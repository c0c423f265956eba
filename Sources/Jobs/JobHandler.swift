public import Contract
public import Postgres

/// What does the jobs of one kind. Made once per lane, on the lane's thread, so it may keep buffers and caches without a lock.
public protocol JobHandler: AnyObject {
    var kind: Kind { get }
    /// The most jobs of one transaction. With 1, a thrown `Rejection` rolls back and rejects the job.
    var batchLimit: Int { get }
    /// Whether its jobs always take so long, by their computing, that others are not to wait for them.
    var runsApart: Bool { get }
    /// Does the jobs' effects in the open transaction and returns an outcome for each, in order.
    ///
    /// - Throws: ``RunAgain`` to have the same jobs run once more, in a new transaction; `Rejection` or ``NotYet`` if ``batchLimit`` is 1.
    ///   A `PostgresError` is passed on as it is: the lane then splits the batch, repeats it or waits for the database.
    func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome]
}

extension JobHandler {
    public var runsApart: Bool { false }
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

/// Thrown if something that a job needs may still come: it is retried for the first steps of the retry ladder, then rejected.
public struct NotYet: Error {
    public let rejection: Rejection

    public init(_ rejection: Rejection) {
        self.rejection = rejection
    }
}

/// Thrown if data that the transaction relies on has changed meanwhile: the same jobs run again at once, in a new transaction.
public struct RunAgain: Error {
    /// The cause that is reported if the jobs have been run again too often.
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}
