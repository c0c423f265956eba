extension Kind {
    public static let webhookUpdate = Kind(
        "webhook.update", family: .tenant, access: Access(account: true), states: .counted, isAudited: true,
        takesPrecondition: true,
        summary: "Changes a webhook's URL, events or description, or enables or disables it.")
}

/// `webhook.update` (contract, section 9): what is not named stays as it is.
public struct WebhookUpdate: JobPayload, Equatable {
    public static let kind = Kind.webhookUpdate

    /// The webhook's id.
    public var webhook: String
    public var url: String?
    public var events: [String]?
    public var description: Change<String>
    /// Enabled again, it gets what happens from then on; what waits as failed is sent by `webhook.recover`.
    public var state: WebhookState?

    public init(
        webhook: String, url: String? = nil, events: [String]? = nil, description: Change<String> = .keep,
        state: WebhookState? = nil
    ) {
        self.webhook = webhook
        self.url = url
        self.events = events
        self.description = description
        self.state = state
    }

    public static let fields: Fields<WebhookUpdate> = Fields(WebhookUpdate(webhook: ""), rules: [changesSomething]) {
        Field("webhook", \.webhook, .webhookID)
        Field("url", \.url, .webhookURL).neverAudited
        Field("events", \.events, .eventPatterns)
        Field("description", \.description, .displayName)
        Field("state", \.state, .word)
    }

    private static let changesSomething = FieldRule<WebhookUpdate>(
        schema: Schema.atLeastOne(of: ["url", "events", "state"], orNull: ["description"])
    ) { payload throws(FieldFailure) in
        guard fields.write(payload) != .object(["webhook": .string(payload.webhook)]) else {
            throw FieldFailure("changes nothing: name one of description, events, state, url")
        }
    }

    public static let example = WebhookUpdate(webhook: "wh_0123456789ab", events: ["limit.breached.#"], state: .enabled)

    public static let resultSchema = Schema.object(
        required: ["webhook", "state"], ["webhook": Schema.anyText, "state": WebhookState.schema])
}

/// Whether a webhook is called.
public enum WebhookState: String, Sendable, CaseIterable, ClosedWord {
    case enabled
    /// By whoever owns it, or because it has not answered. What happens meanwhile waits as failed.
    case disabled
}

extension FieldType<String> {
    /// An id that is not there is told as such by whoever looks for it.
    static let webhookID = text(1...128)
}
