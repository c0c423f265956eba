public import Contract
internal import Postgres

/// A job that has been checked and authorized: who asks for what, on which tenant.
public struct Job {
    public let kind: Kind
    /// The idempotency key within the account (`message_id`), 1 to 128 characters.
    public let id: String
    public let principal: Principal
    /// The tenant that the job works on; there for every kind that needs one.
    public let tenant: TenantRecord?
    /// Why the state of its tenant forbids the job now. A job that has succeeded before still gets its answer.
    public let refusal: Rejection?
    /// What its header `if-match` asks for; nil: nothing.
    public let precondition: Precondition?
    /// Whether the sender waits for a result; otherwise a handler need not build one.
    public let wantsResult: Bool
    /// Whether it came by HTTP, where what became of it is kept.
    public let isByHTTP: Bool
    /// The payload's bytes, uncopied: valid as long as the job lives.
    public let body: UnsafeRawBufferPointer
    /// Keeps the payload's memory alive.
    private let owner: AnyObject

    /// - Parameter owner: what keeps the memory of `body` alive.
    public init(
        kind: Kind, id: String, principal: Principal, tenant: TenantRecord?, refusal: Rejection? = nil,
        precondition: Precondition? = nil, wantsResult: Bool, isByHTTP: Bool = false, body: UnsafeRawBufferPointer,
        owner: AnyObject
    ) {
        self.kind = kind
        self.id = id
        self.principal = principal
        self.tenant = tenant
        self.refusal = refusal
        self.precondition = precondition
        self.wantsResult = wantsResult
        self.isByHTTP = isByHTTP
        self.body = body
        self.owner = owner
    }

    /// The account within which the job's id is unique: its slug, or `""` for an operator's jobs.
    public var account: String { principal.account }
}

@available(*, unavailable)
extension Job: Sendable {}

extension Job {
    /// A job with a payload of its own memory.
    public init(
        kind: Kind, id: String, principal: Principal, tenant: TenantRecord?, refusal: Rejection? = nil,
        precondition: Precondition? = nil, wantsResult: Bool = true, payload: [UInt8]
    ) {
        let memory = PayloadMemory(payload)
        self.init(
            kind: kind, id: id, principal: principal, tenant: tenant, refusal: refusal, precondition: precondition,
            wantsResult: wantsResult, body: UnsafeRawBufferPointer(memory.bytes), owner: memory)
    }
}

private final class PayloadMemory {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ payload: [UInt8]) {
        bytes = .allocate(byteCount: payload.count, alignment: 1)
        bytes.copyBytes(from: payload)
    }

    deinit { bytes.deallocate() }
}

/// What became of one job.
public enum Outcome: Sendable {
    /// Its effect is in the transaction. `result` may be nil if the job does not want one.
    case succeeded(result: JSONValue?, isDuplicate: Bool)
    /// The job itself is at fault: it is dead-lettered at once.
    case rejected(Rejection)
    /// Something that it needs may still come: it is retried for the first steps of the retry ladder, then rejected with this.
    case notYet(Rejection)
    /// The job is not at fault: it is retried for the whole ladder, then dead-lettered as `retries_exhausted` with this cause.
    case failed(cause: String)
    /// Its transaction took too long and was cancelled: it is retried, and at the third time rejected as `too_slow`.
    case cancelled(cause: String)
    /// There is no room for it just now, through no fault of its own: it waits on the nearest step of the ladder that lasts `seconds` or more,
    /// and comes again without an attempt having been counted.
    case deferred(seconds: Double, cause: String)
}
