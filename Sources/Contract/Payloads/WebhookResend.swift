extension Kind {
    public static let webhookResend = Kind(
        "webhook.resend", family: .tenant, access: Access(account: true), states: .counted, isAudited: true,
        summary: "Makes a delivery of a webhook once more, under the event's own id, from the first attempt on.")
}

/// `webhook.resend` (contract, section 12).
public struct WebhookResend: JobPayload, Equatable {
    public static let kind = Kind.webhookResend

    /// The webhook's id.
    public var webhook: String
    /// The delivery's id.
    public var delivery: String

    public init(webhook: String, delivery: String) {
        self.webhook = webhook
        self.delivery = delivery
    }

    public static let fields = Fields(WebhookResend(webhook: "", delivery: "")) {
        Field("webhook", \.webhook, .webhookID)
        Field("delivery", \.delivery, .text(1...128))
    }

    public static let example = WebhookResend(webhook: "wh_0123456789ab", delivery: "1")

    public static let resultSchema = WebhookDelivery.resultSchema
}
