internal import AMQP

/// The thread's side of a subscription: makes the connection, binds the queue, reads alerts, acknowledges those that are dealt with,
/// and makes a new connection when one is lost. Only the thread that `run()` is called on touches it.
final class AlertConnection {
    private let dispatcher: AlertDispatcher
    private let url: BrokerURL
    private let options: AlertSubscription.Options

    init(_ dispatcher: AlertDispatcher, url: BrokerURL, options: AlertSubscription.Options) {
        self.dispatcher = dispatcher
        self.url = url
        self.options = options
    }

    func run() {
        var backoff = Backoff()
        while !dispatcher.isOver {
            do throws(AMQPError) {
                var connection = try connect()
                dispatcher.connected()
                backoff = Backoff()
                try serve(&connection)
                connection.close()
            } catch {
                // What the broker refuses now it refuses again; so does one that was never reached, as far as we know.
                if error.kind == .channel {
                    return dispatcher.end(.failure(ClientError(channelClosed: error, exchange: Topology.alertsExchange)))
                }
                guard dispatcher.hasBegun else { return dispatcher.end(.failure(ClientError(brokerLost: error))) }
                dispatcher.rest(seconds: backoff.nextSeconds())
            }
        }
    }

    /// Declares nothing but the queue: the exchange is the fleet's.
    private func connect() throws(AMQPError) -> AMQP.Connection {
        var connection = try AMQP.Connection(url, name: options.connectionName)
        let queue: String
        if let name = options.queue {
            queue = name
            _ = try connection.declareQueue(name, arguments: ["x-queue-type": "quorum"])
        } else {
            queue = try connection.declareQueue("", durable: false, exclusive: true, autoDelete: true).name
        }
        for binding in options.bindings {
            try connection.bindQueue(queue, exchange: Topology.alertsExchange, routingKey: binding)
        }
        try connection.setPrefetch(max(1, min(options.prefetch, 65_535)))
        try connection.consume(queue, tag: "alerts")
        return connection
    }

    private func serve(_ connection: inout AMQP.Connection) throws(AMQPError) {
        while !dispatcher.isOver {
            for tag in dispatcher.takeAcknowledgements() { try connection.ack(tag) }
            var arrived: [(tag: UInt64, body: [UInt8])] = []
            while let event = try connection.receive(timeoutMilliseconds: 0) {
                switch event {
                case .delivery(let delivery): arrived.append((delivery.deliveryTag, delivery.withBody { Array($0) }))
                // Its queue was deleted, or has moved to another node: a new connection declares it anew.
                case .consumerCancelled(let tag): throw AMQPError(.connection, "the broker cancelled consumer \(tag)")
                case .blocked, .unblocked, .returned: break  // nothing is published here
                }
            }
            dispatcher.arrived(arrived)
            if arrived.isEmpty { dispatcher.sleep(descriptor: connection.descriptor, seconds: url.idleSeconds) }
        }
        for tag in dispatcher.takeAcknowledgements() { try connection.ack(tag) }
    }
}
