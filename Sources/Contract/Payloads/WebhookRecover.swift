extension Kind {
    public static let webhookRecover = Kind(
        "webhook.recover", family: .tenant, access: Access(account: true), states: .counted, isAudited: true,
        summary: "Makes a webhook's failed deliveries of events since a time once more, the oldest first.")
}

/// `webhook.recover` (contract, section 12).
public struct WebhookRecover: JobPayload, Equatable {
    public static let kind = Kind.webhookRecover

    /// The webhook's id.
    public var webhook: String
    /// Of events that happened then or later.
    public var since: Instant

    public init(webhook: String, since: Instant) {
        self.webhook = webhook
        self.since = since
    }

    public static let fields = Fields(WebhookRecover(webhook: "", since: Instant(microsecondsSince1970: 0))) {
        Field("webhook", \.webhook, .webhookID)
        Field("since", \.since, .instant)
    }

    public static let example = WebhookRecover(
        webhook: "wh_0123456789ab", since: Instant("2026-11-23T00:00:00Z")!)

    /// `more`: there are further ones, and the same job under another id takes the next.
    public static let resultSchema = Schema.object(
        required: ["webhook", "recovered", "more"],
        ["webhook": Schema.anyText, "recovered": Schema.count, "more": Schema.boolean])
}
