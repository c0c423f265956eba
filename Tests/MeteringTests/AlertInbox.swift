internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport

/// A subscriber of alerts: a queue bound to `limit.#`, and what came to it.
final class AlertInbox {
    struct Message {
        let routingKey: String
        let properties: Properties
        let event: AlertEvent
        let body: [UInt8]

        /// `breached messages acme/shop 100`
        var summary: String {
            "\(event.state.rawValue) \(event.data.metric.rawValue) \(event.data.account)/\(event.data.tenant ?? "_pool") \(event.data.thresholdPercent)"
        }
    }

    private(set) var messages: [Message] = []
    private var ids: Set<String> = []
    private var connection: AMQP.Connection
    private let queue = "alerts"

    init(_ fleet: TestFleet, binding: String = "limit.#") throws {
        connection = try AMQP.Connection(BrokerURL(fleet.brokerURL), name: "alerts")
        try connection.declareQueue(queue, durable: false, exclusive: true)
        try connection.bindQueue(queue, exchange: Topology.alertsExchange, routingKey: binding)
    }

    /// Takes in what has come.
    func receive() throws {
        while let delivery = try connection.get(queue) {
            try connection.ack(delivery.deliveryTag)
            let body = delivery.withBody { Array($0) }
            let event = try AlertEvent(parsing: body)
            ids.insert(event.id)
            messages.append(Message(routingKey: delivery.routingKey, properties: delivery.properties, event: event, body: body))
        }
    }

    /// Waits until the outbox and the deltas are empty and everything published has come.
    func settle(_ fleet: TestFleet) async throws {
        try await eventually("pools are swept and the outbox is empty") {
            try fleet.number("select (select count(*) from tenantry.usage_deltas) + (select count(*) from tenantry.outbox)") == 0
        }
        let published = try fleet.number("select count(*) from tenantry.alerts where published_at is not null")
        try await eventually("\(published) alerts have come") {
            try receive()
            return ids.count >= published
        }
    }

    /// What came since the last call, in words, sorted.
    func take(_ fleet: TestFleet) async throws -> [String] {
        try await settle(fleet)
        defer { messages.removeAll() }
        return messages.map(\.summary).sorted()
    }
}

extension TestFleet {
    /// Logs `count` new messages of a tenant, in one job.
    func logMessages(_ count: Int, tenant: String, token: String, sentAt: String? = nil) throws {
        var left = count
        while left > 0 {
            let ids = (0..<min(left, 1_000)).map { _ in TestFleet.newID() }
            left -= ids.count
            var body = TestFleet.log(ids)
            if let sentAt {
                let messages = ids.map { #"{"id":"\#($0)","role":"user","user_id":"u","content":"x","sent_at":"\#(sentAt)"}"# }
                body = #"{"conversation_id":"\#(sentAt)","messages":[\#(messages.joined(separator: ","))]}"#
            }
            let answer = try ask("conversation.log", body, tenant: tenant, token: token)
            guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
        }
    }

    /// The rows of `tenantry.alerts`, in the words of ``AlertInbox/Message/summary``, sorted.
    func alertRows() throws -> [String] {
        try texts(
            """
            select state || ' ' || metric || ' ' || account || '/' || coalesce(tenant, '_pool') || ' ' || threshold_percent
            from tenantry.alerts
            """
        ).sorted()
    }

    func update(_ account: String, _ changes: String) throws {
        let answer = try ask("account.update", #"{"account":"\#(account)",\#(changes)}"#, token: operatorToken)
        guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
    }
}
