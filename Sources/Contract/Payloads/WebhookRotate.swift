extension Kind {
    public static let webhookRotate = Kind(
        "webhook.rotate", family: .tenant, access: Access(account: true), states: .counted, isAudited: true,
        summary: "Gives a webhook a new secret; for a day the one before signs, too.")
}

/// `webhook.rotate` (contract, section 9).
public struct WebhookRotate: JobPayload, Equatable {
    public static let kind = Kind.webhookRotate

    /// The webhook's id.
    public var webhook: String

    public init(webhook: String) {
        self.webhook = webhook
    }

    public static let fields = Fields(WebhookRotate(webhook: "")) {
        Field("webhook", \.webhook, .webhookID)
    }

    public static let example = WebhookRotate(webhook: "wh_0123456789ab")

    public static let resultSchema = Schema.object(
        required: ["webhook", "earlier_ends_at"],
        ["webhook": Schema.anyText, "secret": Schema.anyText, "earlier_ends_at": Instant.schema])
}
