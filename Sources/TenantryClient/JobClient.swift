internal import AMQP
public import ServiceLifecycle

/// Sends jobs to the fleet and receives their answers, over one connection for any number of callers.
///
/// The connection is made when it is first needed and made again when it is lost, with waits that grow from 0.1 s to 10 s. What the
/// broker had not confirmed by then, or the fleet not answered, is sent again under its id until its time is over.
/// Run it in a `ServiceGroup`, or call ``shutDown()`` when you are done; a client that is let go ends its connection, too.
///
/// ```swift
/// let client = try JobClient(brokerURL: "amqp://localhost", credential: "key.secret")
/// let answer = try await client.send(TenantCreate(slug: "acme-shop", displayName: "Acme's shop"))
/// ```
public final class JobClient: Service {
    let dispatcher: JobDispatcher
    let options: Options
    private let url: BrokerURL
    private let authorization: String

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - brokerURL: `amqp://` or `amqps://`, with RabbitMQ's
    ///     [query parameters](https://www.rabbitmq.com/uri-query-parameters.html).
    ///   - credential: `<key>.<secret>`; a ``JobRequest`` may have its own.
    /// - Throws: ``ClientError`` of kind `invalid` for a malformed URL, or another machine without TLS (``Options/allowsInsecure``).
    public init(brokerURL: String, credential: String, options: Options = Options()) throws(ClientError) {
        url = try BrokerURL(of: brokerURL, allowsInsecure: options.allowsInsecure)
        self.options = options
        authorization = "Bearer \(credential)"
        dispatcher = JobDispatcher(
            JobStateMachine.Limits(mostInFlight: options.mostInFlight, mostBytesInFlight: options.mostBytesInFlight))
    }

    deinit { dispatcher.close() }

    /// Makes the connection now, to see whether it can be made; without this the first job does.
    ///
    /// - Throws: ``ClientError`` of kind `connection` if this attempt fails; attempts go on all the same.
    public func connect() async throws(ClientError) {
        start()
        if let failure = await dispatcher.awaitConnection() { throw failure }
    }

    /// Serves until graceful shutdown, then finishes what is in flight and returns. On cancellation it ends at once, and what is in
    /// flight fails as `closed`.
    public func run() async throws {
        start()
        await withTaskCancellationHandler {
            do {
                try await gracefulShutdown()
            } catch {
                return  // cancelled: the handler has closed
            }
            await shutDown()
        } onCancel: {
            dispatcher.close()
        }
    }

    /// Takes no more jobs, waits for what is in flight (each job as long as its time allows), and ends the connection.
    public func shutDown() async {
        await dispatcher.drain()
    }

    func start() {
        let (dispatcher, url, name, authorization) = (dispatcher, url, options.connectionName, authorization)
        dispatcher.start { JobConnection(dispatcher, url: url, name: name, authorization: authorization).run() }
    }
}

extension JobClient {
    /// How a client behaves.
    public struct Options: Sendable {
        /// What the broker shows as the connection's name.
        public var connectionName = "tenantry client"
        /// How long a call waits if it does not say so itself; nil: for ever.
        public var timeout: Duration? = .seconds(60)
        /// The most jobs sent and neither confirmed nor, where an answer is asked for, answered; above 0. Further calls wait their turn.
        public var mostInFlight = 10_000
        /// The most bytes of their bodies together. They are kept, to be sent again.
        public var mostBytesInFlight = 64 << 20
        /// Whether the broker may be another machine without TLS (`amqp://`), where everybody on the way can read the credential.
        public var allowsInsecure = false

        public init() {}
    }
}

extension BrokerURL {
    init(of url: String, allowsInsecure: Bool) throws(ClientError) {
        do throws(AMQPError) {
            self = try BrokerURL(url)
        } catch {
            throw ClientError(brokerLost: error)
        }
        guard allowsInsecure || !isUnprotected else {
            throw ClientError(
                .invalid,
                "\(host) is another machine, where the credential would go in the clear: use amqps://, or allow it in the options"
            )
        }
    }

    /// How long a connection's owner may leave it alone: heartbeats are sent and checked inside its calls.
    var idleSeconds: Double {
        guard let heartbeatSeconds, heartbeatSeconds > 0 else { return 5 }
        return min(5, Double(heartbeatSeconds) / 4)
    }
}
