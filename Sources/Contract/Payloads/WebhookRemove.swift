extension Kind {
    public static let webhookRemove = Kind(
        "webhook.remove", family: .tenant, access: Access(account: true), states: .alive, isAudited: true,
        takesPrecondition: true,
        summary: "Removes a webhook, with its deliveries.")
}

/// `webhook.remove` (contract, section 9).
public struct WebhookRemove: JobPayload, Equatable {
    public static let kind = Kind.webhookRemove

    /// The webhook's id.
    public var webhook: String

    public init(webhook: String) {
        self.webhook = webhook
    }

    public static let fields = Fields(WebhookRemove(webhook: "")) {
        Field("webhook", \.webhook, .webhookID)
    }

    public static let example = WebhookRemove(webhook: "wh_0123456789ab")

    public static let resultSchema = Schema.object(required: ["webhook"], ["webhook": Schema.anyText])
}
