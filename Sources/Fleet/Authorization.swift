internal import AMQP
internal import Contract
internal import Crypto
internal import Jobs
internal import Postgres

/// The first look at a batch of deliveries: envelope, credential, tenant, permission. What passes becomes a ``Job``.
struct Authorization {
    enum Decision {
        case admitted(Job)
        case refused(Outcome)
    }

    private let directory: Directory
    private var now = 0.0
    /// The last bearer text seen and whom it stood for: a producer's jobs come in runs.
    private var lastBearer: [UInt8] = []
    private var lastFingerprint: Directory.Fingerprint?

    init(_ directory: Directory) {
        self.directory = directory
    }

    /// One decision a delivery, in order.
    mutating func decide(_ deliveries: [Delivery], on database: inout Postgres.Connection) throws(PostgresError) -> [Decision] {
        now = SystemClock.monotonicSeconds()
        try directory.refresh(from: &database)
        var envelopes: [Result<Envelope, Rejection>] = []
        envelopes.reserveCapacity(deliveries.count)
        var bearers: [Directory.Fingerprint: Bearer] = [:]
        var slugs: Set<String> = []
        for delivery in deliveries {
            let envelope = Envelope.read(delivery) { fingerprint(of: $0) }
            envelopes.append(envelope)
            guard case .success(let envelope) = envelope else { continue }
            if directory.principal(envelope.fingerprint, now: now) == nil, bearers[envelope.fingerprint] == nil {
                bearers[envelope.fingerprint] = Bearer(delivery.headerText(Header.authorization.constant) ?? "")
            }
            if let slug = envelope.tenant, directory.tenant(slug, now: now) == nil { slugs.insert(slug) }
        }
        try directory.load(credentials: bearers, now: now, from: &database)
        try directory.load(tenants: slugs.sorted(), now: now, from: &database)
        return zip(deliveries, envelopes).map { delivery, envelope in decision(on: delivery, envelope) }
    }

    private func decision(on delivery: Delivery, _ envelope: Result<Envelope, Rejection>) -> Decision {
        switch envelope {
        case .failure(let rejection):
            return .refused(.rejected(rejection))
        case .success(let envelope):
            guard let principal = directory.principal(envelope.fingerprint, now: now) else {
                let message = "the credential is not known, is expired or was revoked"
                return .refused(.rejected(Rejection(.unauthenticated, message)))
            }
            if let refusal = principal.refusal(of: envelope.kind, tenant: nil) {
                return .refused(.rejected(refusal))
            }
            guard delivery.bodyBytes <= envelope.kind.bodyLimitBytes else {
                let message =
                    "the body has \(delivery.bodyBytes) bytes; \(envelope.kind.name) takes at most \(envelope.kind.bodyLimitBytes)"
                return .refused(.rejected(Rejection(.payloadTooLarge, message)))
            }
            guard let slug = envelope.tenant else { return .admitted(Job(delivery, envelope, principal, tenant: nil)) }
            guard let tenant = directory.tenant(slug, now: now) else {
                return .refused(.notYet(Rejection(.tenantUnknown, "there is no tenant \(slug)")))
            }
            if let refusal = principal.refusal(of: envelope.kind, tenant: tenant) {
                return .refused(.rejected(refusal))
            }
            guard let refusal = Self.refusal(of: envelope.kind, in: tenant) else {
                return .admitted(Job(delivery, envelope, principal, tenant: tenant))
            }
            // Whether it was done before its tenant came to this, its inbox knows; the hot kind has none.
            guard envelope.kind.hasInbox else { return .refused(.rejected(refusal)) }
            return .admitted(Job(delivery, envelope, principal, tenant: tenant, refusal: refusal))
        }
    }

    private static func refusal(of kind: Kind, in tenant: TenantRecord) -> Rejection? {
        if tenant.state == .purged { return Rejection(.tenantUnknown, "tenant \(tenant.slug) was purged") }
        if kind.states.contains(tenant.state) { return nil }
        return Rejection(.tenantSuspended, "tenant \(tenant.slug) is \(tenant.state.rawValue)")
    }

    private mutating func fingerprint(of bearer: UnsafeRawBufferPointer) -> Directory.Fingerprint {
        if let lastFingerprint, lastBearer.elementsEqual(bearer) { return lastFingerprint }
        let fingerprint = SHA256.hash(data: bearer)
        lastBearer = Array(bearer)
        lastFingerprint = fingerprint
        return fingerprint
    }
}

extension Job {
    init(
        _ delivery: Delivery, _ envelope: Envelope, _ principal: Principal, tenant: TenantRecord?, refusal: Rejection? = nil
    ) {
        self.init(
            kind: envelope.kind, id: envelope.id, principal: principal, tenant: tenant, refusal: refusal,
            wantsResult: delivery.replyToBytes != nil, body: delivery.body, owner: delivery)
    }
}
