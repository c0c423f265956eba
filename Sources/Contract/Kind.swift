/// A job's type, `family.verb`, with what must be known before its payload is looked at.
///
/// Each kind is declared beside its payload; `payloads` is the one list from which queues, metrics, command-line help and the
/// AsyncAPI document follow.
public struct Kind: Sendable {
    /// `family.verb`, as in the routing key and the property `type`.
    public let name: String
    public let family: Family
    /// Whether the header `tenant` is required.
    public let needsTenant: Bool
    public let access: Access
    /// The longest body that is accepted; a longer one is `payload_too_large`.
    public let bodyLimitBytes: Int
    /// The most that a payload has where a kind says nothing else.
    public static let standardBodyLimitBytes = 1 << 20
    /// The states in which a tenant takes this kind; in another one the job is refused as `tenant_suspended`.
    public let states: Set<TenantState>
    /// Whether it must not wait behind other work: such jobs have a queue of their own.
    public let isControl: Bool
    /// Whether the first answer is kept in the inbox, for whoever repeats the job; otherwise what it writes is its own inbox.
    public let hasInbox: Bool
    /// Whether a job that succeeded leaves a row in `tenantry.audit_log`.
    public let isAudited: Bool
    /// Whether what it changes has an entity tag, which the header `if-match` can ask for.
    public let takesPrecondition: Bool
    /// Whether its payload may hold a password: what of it cannot be told apart from one is not kept.
    public let takesPassword: Bool
    /// One sentence for help texts and the AsyncAPI document.
    public let summary: String

    let wireName: StaticString

    init(
        _ name: StaticString, family: Family, needsTenant: Bool = false, access: Access,
        bodyLimitBytes: Int = Kind.standardBodyLimitBytes,
        states: Set<TenantState> = [.active], isControl: Bool = false, hasInbox: Bool = true, isAudited: Bool = false,
        takesPrecondition: Bool = false, takesPassword: Bool = false, summary: String
    ) {
        self.name = name.description
        self.wireName = name
        self.family = family
        self.needsTenant = needsTenant
        self.access = access
        self.bodyLimitBytes = bodyLimitBytes
        self.states = states
        self.isControl = isControl
        self.hasInbox = hasInbox
        self.isAudited = isAudited
        self.takesPrecondition = takesPrecondition
        self.takesPassword = takesPassword
        self.summary = summary
    }

    /// The payload type of every kind, in the order of the contract. A new kind is one line here.
    public static let payloads: [any JobPayload.Type] = [
        AccountCreate.self, AccountUpdate.self, AccountRotate.self,
        TenantCreate.self, TenantCreateMany.self, TenantUpdate.self, TenantSuspend.self, TenantResume.self, TenantDelete.self,
        TenantRestore.self, AdminCreate.self, AdminRemove.self, TokenIssue.self, TokenRevoke.self,
        TemplateSave.self, TemplateRemove.self, TemplateApply.self,
        WebhookCreate.self, WebhookUpdate.self, WebhookRemove.self, WebhookRotate.self, WebhookTest.self, WebhookResend.self,
        WebhookRecover.self, CorpusIngest.self, CorpusRemove.self,
        ConversationLog.self, ConversationFeedback.self, ConversationErase.self, UsageAggregate.self, BillingClose.self,
    ]

    /// Where its jobs wait: the control queue, or its family's.
    public var queue: String { isControl ? Topology.controlQueue : family.queue }

    /// Every kind that this version knows.
    public static let all: [Kind] = payloads.map { $0.kind }

    /// The kind of this name, read from the wire without making a `String`; nil is `unknown_kind`.
    public static func named(_ bytes: UnsafeRawBufferPointer) -> Kind? {
        let hottest = Kind.conversationLog
        if hottest.wireName.matches(bytes) { return hottest }
        return all.first { $0.wireName.matches(bytes) }
    }

    /// The kind of this name; nil is `unknown_kind`.
    public static func named(_ name: String) -> Kind? {
        var name = name
        return name.withUTF8 { named(UnsafeRawBufferPointer($0)) }
    }
}

extension Kind: Hashable {
    public static func == (left: Kind, right: Kind) -> Bool { left.name == right.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Kind: CustomStringConvertible {
    public var description: String { name }
}
