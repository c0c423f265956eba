extension Kind {
    public static let webhookCreate = Kind(
        "webhook.create", family: .tenant, access: Access(account: true), isAudited: true,
        summary:
            "Makes a webhook: a URL that is called with the account's events or, with the header tenant, with that tenant's own.")
}

/// `webhook.create` (contract, section 9).
public struct WebhookCreate: JobPayload, Equatable {
    public static let kind = Kind.webhookCreate

    /// `https`, at most 2,048 bytes.
    public var url: String
    /// 1 to 20 patterns of events' names, ``EventPattern``.
    public var events: [String]
    /// 1 to 200 characters.
    public var description: String?

    public init(url: String, events: [String], description: String? = nil) {
        self.url = url
        self.events = events
        self.description = description
    }

    public static let fields = Fields(WebhookCreate(url: "", events: [])) {
        // Whoever calls a URL may have to know a secret that stands in it.
        Field("url", \.url, .webhookURL).neverAudited
        Field("events", \.events, .eventPatterns)
        Field("description", \.description, .displayName)
    }

    public static let example = WebhookCreate(
        url: "https://hooks.example.com/tenantry", events: ["limit.#", "tenant.*"], description: "Operations")

    public static let resultSchema = Schema.object(
        required: ["webhook"], ["webhook": Schema.anyText, "secret": Schema.anyText])
}

extension FieldType<[String]> {
    static let eventPatterns = list(.eventPattern, 1...20)
}
