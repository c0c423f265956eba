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
    /// Why its tenant's state does not let it be done any more; what was done before is answered all the same.
    public let refusal: Rejection?
    /// Whether somebody reads the result: handlers need not build one otherwise.
    public let wantsResult: Bool
    /// The payload's bytes, uncopied: valid as long as the job lives.
    public let body: UnsafeRawBufferPointer
    /// Whatever the payload's memory belongs to.
    private let owner: AnyObject

    /// - Parameter owner: what keeps the memory of `body` alive.
    public init(
        kind: Kind, id: String, principal: Principal, tenant: TenantRecord?, refusal: Rejection? = nil, wantsResult: Bool,
        body: UnsafeRawBufferPointer, owner: AnyObject
    ) {
        self.kind = kind
        self.id = id
        self.principal = principal
        self.tenant = tenant
        self.refusal = refusal
        self.wantsResult = wantsResult
        self.body = body
        self.owner = owner
    }

    /// Whose name space the job's id lives in: an account's slug, or `""` for an operator's jobs.
    public var account: String { principal.account }
}

@available(*, unavailable)
extension Job: Sendable {}

extension Job {
    /// A job with a payload of its own memory.
    public init(
        kind: Kind, id: String, principal: Principal, tenant: TenantRecord?, refusal: Rejection? = nil, wantsResult: Bool = true,
        payload: [UInt8]
    ) {
        let memory = PayloadMemory(payload)
        self.init(
            kind: kind, id: id, principal: principal, tenant: tenant, refusal: refusal, wantsResult: wantsResult,
            body: UnsafeRawBufferPointer(memory.bytes), owner: memory)
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
    /// Its effect is in the transaction. `result` may be nil where the job does not want one.
    case succeeded(result: JSONValue?, isDuplicate: Bool)
    /// Its own fault: dead-lettered at once.
    case rejected(Rejection)
    /// What it needs may still be on its way: the ladder's first steps, then rejected as this.
    case notYet(Rejection)
    /// Not its fault: the whole ladder, then dead-lettered as `retries_exhausted` with this cause.
    case failed(cause: String)
}
