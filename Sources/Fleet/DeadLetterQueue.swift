public import AMQP
internal import Contract

/// The dead-letter queue, for people: read, replay, discard.
///
/// Letters are taken without acknowledgement and go back when the queue is closed, so what is not replayed or discarded stays.
public final class DeadLetterQueue {
    /// A job that was given up, and why.
    public struct Letter {
        public let delivery: Delivery
        public var jobID: String { delivery.messageID ?? "" }
        public var kind: String { delivery.headerText(Header.kind.constant) ?? delivery.routingKey }
        public var tenant: String? { delivery.headerText(Header.tenant.constant) }
        public var code: String { delivery.headerText(Header.errorCode.constant) ?? ErrorCode.unknownKind.rawValue }
        public var message: String { delivery.headerText(Header.errorMessage.constant) ?? "" }
        public var field: String? { delivery.headerText(Header.errorField.constant) }
        public var attempts: Int64 { delivery.headerInt(Header.attempts.constant) ?? 1 }
        public var failedAt: String? { delivery.headerText(Header.failedAt.constant) }
    }

    private var connection: AMQP.Connection

    public init(_ broker: BrokerURL) throws(AMQPError) {
        connection = try AMQP.Connection(broker, name: "tenantry dead letters")
        try connection.enableConfirms()
    }

    /// How many letters lie there.
    public func count() throws(AMQPError) -> Int {
        try connection.inspectQueue(Topology.deadQueue)?.messageCount ?? 0
    }

    /// The next letter, oldest first; nil at the end.
    public func next() throws(AMQPError) -> Letter? {
        try connection.get(Topology.deadQueue).map { Letter(delivery: $0) }
    }

    /// Sends the job again as it first came, and removes the letter once the broker has it.
    ///
    /// - Throws: ``NotReplayed`` if no queue took it; `AMQPError`. The letter stays either way.
    public func replay(_ letter: Letter) throws {
        var properties = letter.delivery.properties
        let added = Set(Header.added.map(\.name))
        for (name, _) in properties.headers.entries
        where added.contains(name) || name == "x-death" || name.hasPrefix("x-first-death-") {
            properties.headers[name] = nil
        }
        properties.headers["x-delivery-count"] = nil
        _ = try connection.publish(
            exchange: Topology.jobsExchange, routingKey: letter.delivery.routingKey, properties: properties,
            body: letter.delivery.body,
            mandatory: true)
        let outcome = try connection.awaitConfirms(timeoutSeconds: 30)
        guard outcome.isSuccess else { throw NotReplayed(jobID: letter.jobID) }
        try discard(letter)
    }

    /// Removes the letter for good.
    public func discard(_ letter: Letter) throws(AMQPError) {
        try connection.ack(letter.delivery.deliveryTag)
    }

    public func close() {
        connection.close()
    }

    /// Thrown where no queue took a replayed job.
    public struct NotReplayed: Error, CustomStringConvertible {
        public let jobID: String
        public var description: String { "job \(jobID) was not taken by any queue: is the topology declared?" }
    }
}
