internal import AMQP
internal import Contract

/// A connection for what is sent. Apart from the consuming one, because a broker in alarm stops reading from connections that publish, and
/// acknowledgements must still get through.
final class Publisher {
    /// Publishes in flight before confirms are waited for.
    private static let window = 2_000
    /// A broker that has confirmed something so recently is taken to be in no alarm, for messages of so many bytes together.
    private static let trustSeconds = 1.0
    private static let trustBytes = 256 << 10
    /// How often a wait for confirms looks whether the broker is in alarm.
    private static let stepSeconds = 0.25

    private let url: BrokerURL
    private let name: String
    private let heartbeatSeconds: Int
    private let confirmTimeoutSeconds: Double
    private var asksFirst: Bool
    private let isPatient: Bool
    private var connection: AMQP.Connection?
    private var lastReadAt = 0.0
    private var lastConfirmAt = -Double.infinity

    /// - Parameter asksFirst: whether the broker is asked with a message that no queue gets whether it is in alarm, if that is not known. A
    ///   connection learns of an alarm with its first message, which is then stuck, if it is a long one halfway, and comes out when the alarm is
    ///   over: what is not to be there twice, once it was kept elsewhere, should not be that message.
    init(_ url: BrokerURL, name: String, heartbeatSeconds: Int, confirmTimeoutSeconds: Double = 30, asksFirst: Bool = true) {
        self.confirmTimeoutSeconds = confirmTimeoutSeconds
        self.asksFirst = asksFirst
        isPatient = !asksFirst
        self.url = url
        self.name = name
        self.heartbeatSeconds = heartbeatSeconds
    }

    /// One message on its way out.
    struct OutgoingMessage: Sendable {
        var exchange: String
        var routingKey: String
        var properties: Properties
        var body: Body
        /// Whether it matters that a queue takes it; an unroutable one is reported by ``Publisher/send(_:)``.
        var isMandatory = false

        enum Body: Sendable {
            case bytes([UInt8])
            /// The body of a delivery, unchanged.
            case delivery(Delivery)

            var count: Int {
                switch self {
                case .bytes(let bytes): bytes.count
                case .delivery(let delivery): delivery.body.count
                }
            }
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

    /// Messages that go out together, and how far they are.
    struct Round {
        let messages: [OutgoingMessage]
        /// Those from here on have not been sent.
        fileprivate(set) var next = 0
        /// Sent and not confirmed, by their sequence.
        fileprivate(set) var unconfirmed: [UInt64: Int] = [:]
        fileprivate(set) var failures = Failures()

        init(_ messages: [OutgoingMessage]) {
            self.messages = messages
        }

        /// The messages, by index, of which it is not known that they have arrived or were refused.
        var open: [Int] { (Array(unconfirmed.values) + Array(next..<messages.count)).sorted() }
    }

    /// Whether the broker has announced on this connection that it takes nothing at the moment.
    var isBlocked: Bool { connection?.isBlocked ?? false }

    /// Publishes all of them and waits until the broker has taken responsibility for each, or has refused it.
    ///
    /// - Parameter seconds: how long is waited; nil: the publisher's own time.
    /// - Throws: `AMQPError`; then any of them may or may not have gone out.
    func send(_ messages: [OutgoingMessage], seconds: Double? = nil) throws(AMQPError) -> Failures {
        var round = Round(messages)
        do throws(AMQPError) {
            try goOn(with: &round, seconds: seconds ?? confirmTimeoutSeconds)
            return round.failures
        } catch {
            // What is unconfirmed would be waited for with the next messages, too. A broker in alarm confirms it when that is over, and says on
            // this connection that it is.
            if error.kind != .blocked { connection = nil }
            throw error
        }
    }

    /// Publishes what is left of a round and waits until the broker has taken responsibility for each message, or has refused it.
    ///
    /// - Throws: `timeout` or `blocked`: the round can be gone on with. After any other error the connection is gone; ``Round/open`` says which
    ///   messages may or may not have gone out.
    func goOn(with round: inout Round, seconds: Double) throws(AMQPError) {
        let end = SystemClock.monotonicSeconds() + seconds
        do throws(AMQPError) {
            try connect()
            if round.next == 0, asksFirst, !isBlocked, isUncertain(round.messages) { try ask(until: end) }
            while round.next < round.messages.count || !round.unconfirmed.isEmpty {
                if isBlocked { try awaitUnblocking(until: end) }
                while round.next < round.messages.count, round.unconfirmed.count < Self.window {
                    let sequence = try publish(round.messages[round.next])
                    round.unconfirmed[sequence] = round.next
                    round.next += 1
                }
                try confirm(&round, until: end)
            }
        } catch {
            if error.kind == .timeout || error.kind == .blocked { throw error }
            round.unconfirmed = round.unconfirmed.filter { connection?.isUnconfirmed($0.key) ?? true }
            connection = nil
            throw error
        }
    }

    /// Forgets what is unconfirmed: the next message goes over a new connection.
    func reset() {
        connection = nil
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

    /// Sends a message without content, which no queue gets, and waits for its confirm. Whoever may not send it goes on without.
    private func ask(until end: Double) throws(AMQPError) {
        do throws(AMQPError) {
            _ = try connection!.publish(exchange: "", routingKey: Topology.noQueue, properties: Properties(), body: [])
            _ = try awaitConfirms(until: end)
        } catch {
            guard error.replyCode == 403 else { throw error }
            asksFirst = false
            connection = nil
            try connect()
        }
    }

    private func isUncertain(_ messages: [OutgoingMessage]) -> Bool {
        SystemClock.monotonicSeconds() - lastConfirmAt > Self.trustSeconds
            || messages.reduce(0) { $0 + $1.body.count } > Self.trustBytes
    }

    /// Reads whether the alarm is over. Only whoever has nothing else to do waits for that.
    private func awaitUnblocking(until end: Double) throws(AMQPError) {
        while isBlocked {
            let left = isPatient ? end - SystemClock.monotonicSeconds() : 0
            guard try connection!.receive(timeoutMilliseconds: max(0, Int(left * 1_000))) == nil, isBlocked else { continue }
            guard left > 0 else { throw AMQPError(.blocked, "the broker takes no publishes at the moment") }
        }
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

    private func confirm(_ round: inout Round, until end: Double) throws(AMQPError) {
        let outcome = try awaitConfirms(until: end)
        round.failures.refused.formUnion(outcome.nacked.compactMap { round.unconfirmed[$0] })
        round.failures.unroutable.formUnion(outcome.returned.compactMap { round.unconfirmed[$0.sequence] })
        round.unconfirmed.removeAll(keepingCapacity: true)
    }

    /// Waits for all confirms, but not for long once the broker has said that it is in alarm.
    private func awaitConfirms(until end: Double) throws(AMQPError) -> ConfirmOutcome {
        while true {
            let left = max(0, end - SystemClock.monotonicSeconds())
            do throws(AMQPError) {
                let outcome = try connection!.awaitConfirms(timeoutSeconds: min(left, Self.stepSeconds))
                lastConfirmAt = SystemClock.monotonicSeconds()
                return outcome
            } catch {
                guard error.kind == .timeout, left > Self.stepSeconds else { throw error }
            }
        }
    }
}
