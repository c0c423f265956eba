extension Kind {
    public static let webhookTest = Kind(
        "webhook.test", family: .tenant, access: Access(account: true), states: .counted,
        summary: "Calls a webhook with an event webhook.test, which nothing else gets.")
}

/// `webhook.test` (contract, section 12).
public struct WebhookTest: JobPayload, Equatable {
    public static let kind = Kind.webhookTest

    /// The webhook's id.
    public var webhook: String

    public init(webhook: String) {
        self.webhook = webhook
    }

    public static let fields = Fields(WebhookTest(webhook: "")) {
        Field("webhook", \.webhook, .webhookID)
    }

    public static let example = WebhookTest(webhook: "wh_0123456789ab")

    public static let resultSchema = WebhookDelivery.resultSchema
}

enum WebhookDelivery {
    /// `{"webhook", "delivery"}`
    static let resultSchema = Schema.object(
        required: ["webhook", "delivery"], ["webhook": Schema.anyText, "delivery": Schema.anyText])
}
