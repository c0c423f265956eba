public import Contract
public import Postgres

/// What a job's sender is told when it succeeded.
public struct Reply: Sendable {
    /// Kept in the inbox, and given again if the job is repeated.
    public var result: [String: JSONValue]
    /// Secrets: given in the first answer only, and stored nowhere.
    public var onceOnly: [String: JSONValue]

    public init(_ result: [String: JSONValue], onceOnly: [String: JSONValue] = [:]) {
        self.result = result
        self.onceOnly = onceOnly
    }
}

/// A handler that does one job at a time: it decodes the payload, writes the inbox and the audit log, and calls `perform` for the job's effect.
public final class SingleJobHandler<Payload: JobPayload>: JobHandler {
    public typealias Perform = (Payload, Job, inout Transaction) throws -> Reply
    /// The entity tags that what a job changes has now, as ``EntityTag`` makes them, with what it changes locked until the commit, so that of two jobs
    /// that ask for the same tag the second sees what the first has done. Empty: it is not there. nil: this job changes no one thing that has a tag.
    public typealias PresentTags = (Payload, Job, inout Transaction) throws -> [String]?

    public let kind: Kind
    public let batchLimit = 1
    public let runsApart: Bool
    private let perform: Perform
    private let presentTags: PresentTags?

    /// - Parameters:
    ///   - presentTags: what the header `if-match` is held against; nil: the kind does not take it. It takes its locks in the order in which
    ///     `perform` does, and comes only if the header is there.
    ///   - perform: the effect, in the open transaction; a `Rejection` or ``NotYet`` it throws rolls everything back.
    public init(
        _ payload: Payload.Type, runsApart: Bool = false, presentTags: PresentTags? = nil, _ perform: @escaping Perform
    ) {
        kind = payload.kind
        precondition(
            kind.takesPrecondition == (presentTags != nil), "\(kind.name): who takes if-match says what it is held against")
        self.runsApart = runsApart
        self.perform = perform
        self.presentTags = presentTags
    }

    public func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome] {
        try jobs.map { job in
            try Inbox.checkRefusal(of: job, on: &database)
            // Before the payload is read: what came before costs no more than this, and if it is refused, the row goes, too.
            if let first = try Inbox.claim(job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            let payload = try PayloadDecoder.decode(Payload.self, from: job.body)
            if let wanted = job.precondition { try check(wanted, payload, job, on: &database) }
            return try Inbox.conclude(job, with: try perform(payload, job, &database), on: &database)
        }
    }

    /// After the inbox was asked: a repeat is answered whatever has changed since.
    private func check(_ wanted: Precondition, _ payload: Payload, _ job: Job, on database: inout Transaction) throws {
        guard let present = try presentTags?(payload, job, &database) else { throw Rejection.nothingToMatch }
        guard wanted.holds(for: present) else {
            let message =
                present.isEmpty
                ? "what the job changes is not there, and the header if-match asks for it"
                : "what the job changes has changed: its entity tag is none of those in the header if-match"
            throw Rejection(.preconditionFailed, message)
        }
    }
}

/// A handler for effects that are too large for one transaction. `perform` ends each part with ``PartwiseTransaction/nextPart()``. Ended parts
/// stay, so it has to recognize them when the job runs again. The answer goes into the inbox with the last part.
public final class PartwiseJobHandler<Payload: JobPayload>: JobHandler {
    public typealias Perform = (Payload, Job, inout PartwiseTransaction) throws -> Reply

    public let kind: Kind
    public let batchLimit = 1
    private let perform: Perform

    /// - Parameter perform: the effect, part by part; a `Rejection` it throws rolls the part back and rejects the job.
    public init(_ payload: Payload.Type, _ perform: @escaping Perform) {
        kind = payload.kind
        self.perform = perform
    }

    public func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome] {
        try jobs.map { job in
            try Inbox.checkRefusal(of: job, on: &database)
            if let first = try Inbox.first(of: job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            let payload = try PayloadDecoder.decode(Payload.self, from: job.body)
            let reply = try inParts(payload, job, on: &database)
            // Another delivery of the same job may have been done meanwhile.
            if let first = try Inbox.claim(job, on: &database) { return .succeeded(result: first, isDuplicate: true) }
            return try Inbox.conclude(job, with: reply, on: &database)
        }
    }

    private func inParts(_ payload: Payload, _ job: Job, on database: inout Transaction) throws -> Reply {
        var parts = PartwiseTransaction(database)
        let reply = Result { try perform(payload, job, &parts) }
        database = parts.end()
        return try reply.get()
    }
}

extension Rejection {
    /// A job that changes no one thing with an entity tag came with the header `if-match`.
    static var nothingToMatch: Rejection {
        Rejection(.invalidPayload, "header if-match: this job changes no one thing that has an entity tag")
    }
}
