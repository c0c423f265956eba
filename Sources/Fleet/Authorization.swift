internal import AMQP
internal import Contract
internal import Crypto
internal import Jobs
internal import Postgres

/// The first look at a batch of deliveries: envelope, credential, tenant, permission. What passes becomes a ``Job``.
struct Authorization {
    enum Decision {
        case admitted(Job)
        /// `sender` is nil if the credential does not hold.
        case refused(Outcome, sender: Principal?)

        /// Whether the job's account or tenant may send only so many jobs a minute.
        var isRated: Bool {
            guard case .admitted(let job) = self else { return false }
            return job.principal.jobsPerMinute != nil || job.tenant?.jobsPerMinute != nil
        }

        var sender: Principal? {
            switch self {
            case .admitted(let job): job.principal
            case .refused(_, let sender): sender
            }
        }
    }

    private let directory: Directory
    private let seals = SealStore()
    private var now = 0.0
    /// The last bearer text seen and whom it stood for: a producer's jobs come in runs.
    private var lastBearer: [UInt8] = []
    private var lastFingerprint: Directory.Fingerprint?

    init(_ directory: Directory) {
        self.directory = directory
    }

    /// What dead letters are sealed with.
    func seal(from database: inout Postgres.Connection) throws(PostgresError) -> Seal { try seals.seal(from: &database) }

    /// One decision a delivery, in order.
    mutating func decide(_ deliveries: [Delivery], on database: inout Postgres.Connection) throws(PostgresError) -> [Decision] {
        now = SystemClock.monotonicSeconds()
        try directory.refresh(from: &database)
        var envelopes: [Result<Envelope, Rejection>] = []
        envelopes.reserveCapacity(deliveries.count)
        var claims: [Claim] = []
        claims.reserveCapacity(deliveries.count)
        var sealedKeys: Set<String> = []
        var bearers: [Directory.Fingerprint: Bearer] = [:]
        var slugs: Set<String> = []
        for delivery in deliveries {
            // Also whoever has sent something wrong is to get an answer.
            let claim = claim(of: delivery)
            claims.append(claim)
            switch claim {
            case .bearer(let sender) where directory.principal(sender, now: now) == nil && bearers[sender] == nil:
                bearers[sender] = Bearer(delivery.headerText(Header.authorization.constant) ?? "")
            case .seal(let key, _) where directory.holder(ofKey: key, now: now) == nil: sealedKeys.insert(key)
            case .bearer, .seal, .none: break
            }
            let envelope = Envelope.read(delivery)
            envelopes.append(envelope)
            if let slug = try? envelope.get().tenant, directory.tenant(slug, now: now) == nil { slugs.insert(slug) }
        }
        try directory.load(credentials: bearers, now: now, from: &database)
        try directory.load(holdersOf: sealedKeys, now: now, from: &database)
        try directory.load(tenants: slugs.sorted(), now: now, from: &database)
        let seal = claims.contains(where: \.isSealed) ? try seals.seal(from: &database) : nil
        return deliveries.indices.map { index in
            let sender = principal(claims[index], deliveries[index], seal)
            do throws(Rejection) {
                return try decision(on: deliveries[index], envelopes[index].get(), sender)
            } catch {
                return .refused(.rejected(error), sender: sender)
            }
        }
    }

    private func decision(on delivery: Delivery, _ envelope: Envelope, _ sender: Principal?) throws(Rejection) -> Decision {
        guard let principal = sender else {
            throw Rejection(.unauthenticated, "the credential is not known, is expired or was revoked")
        }
        if let replyTo = delivery.replyTo, let refusal = ReplyAddress.refusal(of: replyTo, for: principal) { throw refusal }
        if let refusal = principal.refusal(of: envelope.kind, tenant: nil) { throw refusal }
        guard delivery.bodyBytes <= envelope.kind.bodyLimitBytes else {
            throw Rejection(
                .payloadTooLarge,
                "the body has \(delivery.bodyBytes) bytes; \(envelope.kind.name) takes at most \(envelope.kind.bodyLimitBytes)")
        }
        guard let slug = envelope.tenant else { return .admitted(Job(delivery, envelope, principal, tenant: nil)) }
        guard let tenant = directory.tenant(slug, now: now) else {
            return .refused(.notYet(Rejection(.tenantUnknown, "there is no tenant \(slug)")), sender: principal)
        }
        if let refusal = principal.refusal(of: envelope.kind, tenant: tenant) { throw refusal }
        guard let refusal = Self.refusal(of: envelope.kind, in: tenant) else {
            return .admitted(Job(delivery, envelope, principal, tenant: tenant))
        }
        // Whether it was done before its tenant came to this, its inbox knows; the hot kind has none.
        guard envelope.kind.hasInbox else { throw refusal }
        return .admitted(Job(delivery, envelope, principal, tenant: tenant, refusal: refusal))
    }

    /// What a job says of its sender.
    private enum Claim {
        case bearer(Directory.Fingerprint)
        /// It was a dead letter, and comes without its credential.
        case seal(key: String, code: String)
        case none

        var isSealed: Bool { if case .seal = self { true } else { false } }
    }

    private mutating func claim(of delivery: Delivery) -> Claim {
        if let bearer = delivery.header(Header.authorization.constant) { return .bearer(fingerprint(of: bearer)) }
        guard let code = delivery.headerText(Header.seal.constant), let key = delivery.claimedKey else { return .none }
        return .seal(key: key, code: code)
    }

    /// Whom the job is from, if its credential or its seal holds.
    private func principal(_ claim: Claim, _ delivery: Delivery, _ seal: Seal?) -> Principal? {
        switch claim {
        case .bearer(let fingerprint): return directory.principal(fingerprint, now: now)
        case .seal(let key, let code):
            guard let seal, let holder = directory.holder(ofKey: key, now: now), seal.holds(code, for: delivery, key: key) else {
                return nil
            }
            return holder
        case .none: return nil
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
            precondition: envelope.precondition,
            wantsResult: envelope.isByHTTP || delivery.replyToBytes != nil, isByHTTP: envelope.isByHTTP, body: delivery.body,
            owner: delivery)
    }
}
