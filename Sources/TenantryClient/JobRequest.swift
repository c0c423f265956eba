internal import FoundationEssentials

/// One job to be sent, with its payload as bytes: for tools, and for whatever a payload's type does not say.
public struct JobRequest: Sendable {
    /// `family.verb`; also the routing key.
    public var kind: String
    /// JSON, UTF-8; at most 64 MiB here, and what the kind allows at the fleet (1 MiB, `corpus.ingest` 16 MiB).
    public var body: [UInt8]
    /// The tenant's slug, for kinds that work on one.
    public var tenant: String?
    /// The idempotency key within the account, 1 to 128 characters: send the same job again under the same id.
    public var id: String
    /// W3C trace context.
    public var traceparent: String?
    /// `<key>.<secret>` for this job alone; nil: the client's own.
    public var credential: String?
    /// The job is done only if what it changes has one of these entity tags: quoted, separated by commas, or `*`. nil: whatever it is like.
    public var ifMatch: String?
    /// Whether it has a row in `tenantry.http_jobs`, in which a worker notes what became of it: for the HTTP API alone.
    package var isByHTTP = false

    public init(
        kind: String, body: [UInt8], tenant: String? = nil, id: String = JobRequest.newID(), traceparent: String? = nil,
        credential: String? = nil
    ) {
        self.kind = kind
        self.body = body
        self.tenant = tenant
        self.id = id
        self.traceparent = traceparent
        self.credential = credential
    }

    /// A job of a known kind.
    public init(
        _ payload: some JobPayload, tenant: String? = nil, id: String = JobRequest.newID(), traceparent: String? = nil,
        credential: String? = nil
    ) {
        self.init(
            kind: type(of: payload).kind.name, body: payload.encoded(), tenant: tenant, id: id, traceparent: traceparent,
            credential: credential)
    }

    /// An id that nobody else has: a UUID.
    public static func newID() -> String { UUID().uuidString.lowercased() }
}

extension JobRequest {
    /// The largest body that is sent at all: the broker closes the channel, everybody's, over what is beyond its own limit.
    static let mostBodyBytes = 64 << 20

    /// Refuses what could not reach the fleet; all else is the fleet's to judge.
    func check() throws(ClientError) {
        guard (1...128).contains(id.unicodeScalars.count), !id.utf8.contains(0) else {
            throw ClientError(.invalid, "a job's id must have 1 to 128 characters, none of them NUL", jobID: id)
        }
        guard !kind.isEmpty else { throw ClientError(.invalid, "a job must have a kind", jobID: id) }
        guard body.count <= Self.mostBodyBytes else {
            throw ClientError(.invalid, "a body of \(body.count) bytes is over \(Self.mostBodyBytes)", jobID: id)
        }
    }
}
