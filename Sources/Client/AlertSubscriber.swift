internal import AMQP
public import Contract
internal import Glibc

/// Receives alerts. For one thread; make one for each.
///
/// A re-sent alert has the id of the first: what was seen among the last ``rememberedIDs`` is not handed out again.
public final class AlertSubscriber {
    /// Ids kept to recognise an alert that is sent again.
    public static let rememberedIDs = 10_000

    private var connection: AMQP.Connection
    private var seen: Set<String> = []
    private var order: [String] = []
    /// Handed out last; acknowledged when the next one is asked for.
    private var unacknowledged: UInt64?

    /// - Parameters:
    ///   - brokerURL: `amqp://` or `amqps://`.
    ///   - binding: which alerts, by routing key `limit.<state>.<metric>.<account>.<tenant or _pool>`; `limit.#` for all.
    ///   - queue: a durable queue of your own, which keeps alerts while you are away; nil: a private one that ends with the connection.
    /// - Throws: `ClientError` if the broker cannot be reached.
    public init(brokerURL: String, binding: String = "limit.#", queue: String? = nil) throws {
        do throws(AMQPError) {
            connection = try AMQP.Connection(try BrokerURL(brokerURL), name: "tenantry alert subscriber")
            let name = queue ?? "alerts-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            if queue == nil {
                _ = try connection.declareQueue(name, durable: false, exclusive: true, autoDelete: true)
            } else {
                _ = try connection.declareQueue(name, arguments: ["x-queue-type": "quorum"])
            }
            try connection.declareExchange(Topology.alertsExchange, type: "topic")
            try connection.bindQueue(name, exchange: Topology.alertsExchange, routingKey: binding)
            try connection.setPrefetch(100)
            try connection.consume(name, tag: name)
        } catch {
            throw ClientError("the broker cannot be used: \(error.message)")
        }
    }

    /// The next alert, with its body as it came; nil when none came in time.
    ///
    /// Asking for the next one acknowledges the one before: an alert that its taker did not survive comes again, from a queue of his own.
    public func next(timeoutSeconds: Double) throws -> (alert: AlertEvent, body: [UInt8])? {
        while true {
            let delivery: Delivery?
            do throws(AMQPError) {
                if let unacknowledged { try connection.ack(unacknowledged) }
                unacknowledged = nil
                delivery = try connection.nextDelivery(timeoutSeconds: timeoutSeconds)
            } catch {
                throw ClientError("the connection was lost: \(error)")
            }
            guard let delivery else { return nil }
            unacknowledged = delivery.deliveryTag
            let body = Array(delivery.body)
            let alert: AlertEvent
            do {
                alert = try AlertEvent(parsing: body)
            } catch {
                throw ClientError("an alert could not be read: \(error)")
            }
            guard isNew(alert.id) else { continue }
            return (alert, body)
        }
    }

    private func isNew(_ id: String) -> Bool {
        guard seen.insert(id).inserted else { return false }
        order.append(id)
        if order.count > Self.rememberedIDs { seen.remove(order.removeFirst()) }
        return true
    }
}
