internal import AMQP

/// Alerts as they come: each once, also when it is sent again, or when the connection is lost in between.
///
/// An alert is acknowledged when the next one is asked for: one that its taker did not survive comes again, from a queue of his own.
/// A lost connection is made again for as long as it takes. The loop ends when its task is cancelled or the subscription closed.
///
/// ```swift
/// let alerts = try await AlertSubscription(brokerURL: "amqp://localhost", queue: "acme.alerts")
/// for try await alert in alerts { print(alert.event.subject, alert.event.data.thresholdPercent) }
/// ```
public final class AlertSubscription: AsyncSequence, Sendable {
    public typealias Element = Alert
    public typealias Failure = ClientError

    /// Ids kept to recognise an alert that is sent again.
    public static let rememberedIDs = AlertBuffer.rememberedIDs

    private let dispatcher = AlertDispatcher()

    /// Which alerts, and how.
    public struct Options: Sendable {
        /// Routing keys, `limit.<state>.<metric>.<account>.<tenant or _pool>`, with `*` for a word and `#` for any number.
        public var bindings = ["limit.#"]
        /// A durable queue of your own, which keeps alerts while you are away; nil: a private one that ends with the connection, and
        /// with it what was sent meanwhile. An account's subscriber names it `<account>.…`. Bindings that it has stay.
        public var queue: String?
        /// Alerts that the broker sends ahead of their being asked for, 1 to 65535.
        public var prefetch = 100
        /// What the broker shows as the connection's name.
        public var connectionName = "tenantry alert subscriber"
        /// Whether the broker may be another machine without TLS (`amqp://`), where everybody on the way can read the credential.
        public var allowsInsecure = false

        public init() {}
    }

    /// Subscribes: when it returns, the queue is bound and no further alert is missed.
    ///
    /// - Throws: ``ClientError``: `connection` if the broker cannot be reached, `unroutable` if it has no exchange `tenantry.alerts`,
    ///   `refused` if its user may not do this or the queue is there with other attributes, `invalid` for a malformed URL.
    public init(brokerURL: String, options: Options) async throws(ClientError) {
        let url = try BrokerURL(of: brokerURL, allowsInsecure: options.allowsInsecure)
        let dispatcher = dispatcher
        startThread { AlertConnection(dispatcher, url: url, options: options).run() }
        if let failure = await dispatcher.awaitBegin() { throw failure }
    }

    /// As with options, for what they mostly are.
    public convenience init(
        brokerURL: String, binding: String = "limit.#", queue: String? = nil
    ) async throws(ClientError) {
        var options = Options()
        options.bindings = [binding]
        options.queue = queue
        try await self.init(brokerURL: brokerURL, options: options)
    }

    deinit { close() }

    /// Ends the connection, and the loops over this subscription. What was not acknowledged comes again, from a queue of your own.
    public func close() { dispatcher.end(.success(nil)) }

    public func makeAsyncIterator() -> Iterator { Iterator(self, dispatcher) }

    /// Several may take from one subscription at once, each alert goes to one of them.
    public struct Iterator: AsyncIteratorProtocol {
        /// Keeps the connection as long as somebody may ask.
        private let subscription: AlertSubscription
        private let dispatcher: AlertDispatcher
        /// Given last; acknowledged when the next one is asked for.
        private var last: AlertBuffer.Delivery?
        private var isOver = false

        init(_ subscription: AlertSubscription, _ dispatcher: AlertDispatcher) {
            self.subscription = subscription
            self.dispatcher = dispatcher
        }

        /// The next alert; nil when the task is cancelled or the subscription closed.
        ///
        /// - Throws: ``ClientError``: of kind `invalid` for an alert that cannot be read, which is not acknowledged; as `init` when the
        ///   queue can no longer be had after a loss.
        public mutating func next() async throws(ClientError) -> Alert? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> Alert? {
            while !isOver {
                let reply = await dispatcher.next(after: last)
                last = nil
                do throws(ClientError) {
                    guard let item = try reply.get() else { return nil }
                    let alert = try Alert(item.body)
                    last = item.delivery
                    // One that was given before is acknowledged by the next turn.
                    if dispatcher.isNew(alert.event.id) { return alert }
                } catch {
                    isOver = true
                    throw error
                }
            }
            return nil
        }
    }
}

/// An alert with its body as it came.
public struct Alert: Sendable {
    public let event: AlertEvent
    /// JSON, UTF-8: a CloudEvent 1.0.
    public let body: [UInt8]

    init(_ body: [UInt8]) throws(ClientError) {
        self.body = body
        do {
            event = try AlertEvent(parsing: body)
        } catch {
            throw ClientError(.invalid, "an alert could not be read: \(error)", underlying: error)
        }
    }
}
