internal import Contract
internal import Jobs
internal import Postgres

/// An event as webhooks are called with it: a CloudEvent 1.0.
public struct WebhookEvent: Sendable {
    /// A UUID: the CloudEvent's id and the header `webhook-id`.
    public let id: String
    let account: String
    let tenant: String?
    /// Its routing key without account and tenant.
    let name: String
    let contentType: String
    /// As it is published over AMQP.
    let published: String
    let createdAt: Timestamp

    public var type: String { Self.type(of: name) }

    static func type(of name: String) -> String { "tenantry.\(name)" }

    /// The body: an alert's own, which is a CloudEvent already, or one around a life-cycle event.
    public var body: [UInt8] {
        guard contentType != AlertEvent.contentType else { return Array(published.utf8) }
        let event: JSONValue = [
            "specversion": "1.0", "id": .string(id), "source": .string("/tenantry/accounts/\(account)"), "type": .string(type),
            "subject": .string(tenant.map { "tenants/\($0)" } ?? "accounts/\(account)"), "time": .string(createdAt.rfc3339),
            "datacontenttype": "application/json",
            "data": (try? JSONValue(parsing: Array(published.utf8))) ?? .string(published),
        ]
        return event.serialised()
    }

    /// The headers of a call, without what signs it.
    ///
    /// - Parameter seconds: of the attempt, since 1970.
    func headers(at seconds: Int64) -> [(name: String, value: String)] {
        [
            ("Content-Type", AlertEvent.contentType), ("User-Agent", "Tenantry-Webhooks"), ("webhook-id", id),
            ("webhook-timestamp", String(seconds)),
        ]
    }
}
