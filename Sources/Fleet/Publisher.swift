internal import AMQP
internal import Contract

/// A lane's second connection, for what it sends. Apart from the consuming one, because a broker in alarm stops reading from
/// connections that publish, and acknowledgements must still get through.
final class Publisher {
    /// Publishes in flight before confirms are waited for.
    private static let window = 2_000

    private let url: BrokerURL
    private let name: String
    private let heartbeatSeconds: Int
    private let confirmTimeoutSeconds: Double
    private var connection: AMQP.Connection?
    private var lastReadAt = 0.0

    init(_ url: BrokerURL, name: String, heartbeatSeconds: Int, confirmTimeoutSeconds: Double = 30) {
        self.confirmTimeoutSeconds = confirmTimeoutSeconds
        self.url = url
        self.name = name
        self.heartbeatSeconds = heartbeatSeconds
    }

    /// One message on its way out.
    struct OutgoingMessage {
        var exchange: String
        var routingKey: String
        var properties: Properties
        var body: Body
        /// Whether it matters that a queue takes it; an unroutable one is reported by ``Publisher/send(_:)``.
        var isMandatory = false

        enum Body {
            case bytes([UInt8])
            /// The body of a delivery, unchanged.
            case delivery(Delivery)
        }
    }

    /// What did not arrive, by index; all other messages did.
    struct Failures {
        /// Mandatory messages that no queue took.
        var unroutable: Set<Int> = []
        /// Messages that some queue refused: it is full, say, or has lost its majority.
        var refused: Set<Int> = []

        var all: Set<Int> { unroutable.union(refused) }
    }

    /// Publishes all of them and waits until the broker has taken responsibility for each, or has refused it.
    ///
    /// - Throws: `AMQPError`; then any of them may or may not have gone out.
    func send(_ messages: [OutgoingMessage]) throws(AMQPError) -> Failures {
        var failures = Failures()
        guard !messages.isEmpty else { return failures }
        do throws(AMQPError) {
            try connect()
            var sequences: [UInt64: Int] = [:]
            for (index, message) in messages.enumerated() {
                sequences[try publish(message)] = index
                if (index + 1).isMultiple(of: Self.window) { try confirm(&sequences, &failures) }
            }
            try confirm(&sequences, &failures)
            return failures
        } catch {
            connection = nil
            throw error
        }
    }

    /// Keeps the connection alive between sends. Looks at it once a second, however often it is called.
    func keepAlive() {
        let now = SystemClock.monotonicSeconds()
        guard connection != nil, now - lastReadAt >= 1 else { return }
        lastReadAt = now
        do throws(AMQPError) {
            while try connection!.receive(timeoutMilliseconds: 0) != nil {}
        } catch {
            // Nothing is in flight between sends: the next one connects anew, and reports what it finds.
            connection = nil
        }
    }

    private func connect() throws(AMQPError) {
        guard connection == nil else { return }
        connection = try AMQP.Connection(url, name: name, heartbeatSeconds: heartbeatSeconds)
        try connection!.enableConfirms()
    }

    /// What AMQP cannot carry goes out with less around it: one job's strange headers must not hold up all others for ever.
    private func publish(_ message: OutgoingMessage) throws(AMQPError) -> UInt64 {
        do throws(AMQPError) {
            return try publishAsIs(message)
        } catch  where error.kind == .usage {
            var message = message
            message.properties = message.properties.reduced()
            message.routingKey = message.routingKey.clipped(bytes: 255)
            return try publishAsIs(message)
        }
    }

    private func publishAsIs(_ message: OutgoingMessage) throws(AMQPError) -> UInt64 {
        switch message.body {
        case .bytes(let bytes):
            try connection!.publish(
                exchange: message.exchange, routingKey: message.routingKey, properties: message.properties, body: bytes,
                mandatory: message.isMandatory)
        case .delivery(let delivery):
            try connection!.publish(
                exchange: message.exchange, routingKey: message.routingKey, properties: message.properties, body: delivery.body,
                mandatory: message.isMandatory)
        }
    }

    private func confirm(_ sequences: inout [UInt64: Int], _ failures: inout Failures) throws(AMQPError) {
        let outcome = try connection!.awaitConfirms(timeoutSeconds: confirmTimeoutSeconds)
        failures.refused.formUnion(outcome.nacked.compactMap { sequences[$0] })
        failures.unroutable.formUnion(outcome.returned.compactMap { sequences[$0.sequence] })
        sequences.removeAll(keepingCapacity: true)
    }
}
