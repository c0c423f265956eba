import Foundation
import TenantryClient

let environment = ProcessInfo.processInfo.environment
let broker = environment["TENANTRY_AMQP_URL"] ?? "amqp://localhost"
let operators = try JobClient(brokerURL: broker, credential: environment["TENANTRY_OPERATOR_TOKEN"] ?? "")
let alerts = try await AlertSubscription(brokerURL: broker, binding: "limit.#")  // with `queue:` they are kept while you are away

// The operator opens an account, the account a tenant. `get()` throws if the job was rejected.
let name = "swift-" + UUID().uuidString.prefix(8).lowercased()
let account = try await operators.send(
    AccountCreate(slug: name, displayName: "Swift", plan: "enterprise", limits: Limits([.messages: .most(4)])))
let client = try JobClient(brokerURL: broker, credential: account.credential ?? "")  // shown this once
let tenant = try await client.send(TenantCreate(slug: "\(name)-shop", displayName: "Shop")).get()
print(tenant)

// One client serves any number of callers. The same job under the same id has no second effect.
let now = Instant(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
let messages = [
    ConversationLog.Message(id: "m-1", role: .user, content: "Do you deliver on Saturdays?", sentAt: now, userID: "u-1"),
    ConversationLog.Message(id: "m-2", role: .assistant, content: "Yes, until noon.", sentAt: now),
]
let log = ConversationLog(conversationID: "c-1", messages: messages)
print(try await client.send(log, tenant: "\(name)-shop", id: "log-1").get())

for try await alert in alerts where alert.event.data.account == name {
    print(alert.event.type, alert.event.data.thresholdPercent, "%", alert.event.data.value, "messages")
    break
}
await client.shutDown()
