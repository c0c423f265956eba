internal import AMQP
internal import Contract
internal import DequeModule
internal import Glibc

/// A lane's consuming connection and what has been read from it: the deliveries in hand, in the order of their tags.
final class Intake {
    private var connection: AMQP.Connection
    private var deliveries: Deque<Delivery> = []
    private var bufferedBytes = 0
    private let mostBytes: Int
    private let heartbeatSeconds: Double
    private var lastReadAt = SystemClock.monotonicSeconds()
    /// The consumer of each queue: its tag is the queue's name and a number.
    private let queues: [String]
    private var generation = 0
    private(set) var prefetch: Int
    private var isConsuming = true
    /// What is in hand for longer than the batches that follow on it: acknowledging many at once must leave these out.
    private var held: Set<UInt64> = []

    /// What is kept of a body that is over its kind's limit, for the dead letter.
    private static let keptBytes = 4_096

    private static func tag(_ queue: String, _ generation: Int) -> String { "\(queue) \(generation)" }

    /// Connects and consumes the queues.
    ///
    /// - Parameter prefetch: how many deliveries of each queue may be in hand, 1 to 65,535.
    init(
        _ url: BrokerURL, name: String, heartbeatSeconds: Int, queues: [String], prefetch: Int, mostBytes: Int
    ) throws(Interruption) {
        connection = try Interruption.onBroker { () throws(AMQPError) in
            var connection = try AMQP.Connection(url, name: name, heartbeatSeconds: heartbeatSeconds)
            connection.bodyBound = .init(keptBytes: Self.keptBytes, leastBytes: Kind.standardBodyLimitBytes) { routingKey in
                Kind.named(routingKey)?.bodyLimitBytes ?? Kind.standardBodyLimitBytes
            }
            try connection.setPrefetch(prefetch)
            for queue in queues { try connection.consume(queue, tag: Self.tag(queue, 0)) }
            return connection
        }
        self.prefetch = prefetch
        self.mostBytes = mostBytes
        self.heartbeatSeconds = Double(heartbeatSeconds)
        self.queues = queues
    }

    var isEmpty: Bool { deliveries.isEmpty }
    var count: Int { deliveries.count }

    /// Reads whatever is there, without waiting, up to the bounds; also what keeps the heartbeat going.
    ///
    /// - Throws: only `brokerLost`, as does everything here.
    func pump() throws(Interruption) {
        while isRoom,
            let event = try Interruption.onBroker({ () throws(AMQPError) in try connection.receive(timeoutMilliseconds: 0) })
        {
            lastReadAt = SystemClock.monotonicSeconds()
            switch event {
            case .delivery(let delivery):
                bufferedBytes += delivery.heldBytes
                deliveries.append(delivery)
            case .consumerCancelled(let tag):
                throw .brokerLost(.consumerCancelled(queue: queues.first { Self.tag($0, generation) == tag } ?? tag))
            case .blocked, .unblocked, .returned:
                // This connection publishes nothing, so nothing of its can be blocked or come back.
                break
            }
        }
    }

    /// Whether to read on. A full lane still looks now and then: a connection that is never read is taken for dead.
    private var isRoom: Bool { bufferedBytes < mostBytes || SystemClock.monotonicSeconds() - lastReadAt > heartbeatSeconds / 4 }

    /// Waits until something can be read from the broker, if there is room for it, or one of the other descriptors is readable, or the time is
    /// over.
    func wait(for others: [Int32], timeoutMilliseconds: Int32) {
        let isRoom = isRoom
        if isRoom, connection.hasBufferedInput { return }
        // Poll ignores negative descriptors.
        var descriptors = ([isRoom ? connection.descriptor : -1] + others).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // An interrupted or failed poll only ends the wait early: what is wrong shows at the next read.
        _ = poll(&descriptors, nfds_t(descriptors.count), timeoutMilliseconds)
    }

    /// Takes the next jobs of one kind off the front: as many as lie there in a row, up to `limit`.
    func takeBatch(limit: (Kind?) -> Int) -> [Delivery] {
        guard let first = deliveries.first else { return [] }
        let most = max(1, limit(Envelope.kind(of: first)))
        let batch = Array(deliveries.prefix(most).prefix { $0.routingKeyBytes.elementsEqual(first.routingKeyBytes) })
        deliveries.removeFirst(batch.count)
        for delivery in batch { bufferedBytes -= delivery.heldBytes }
        return batch
    }

    /// Notes that these are acknowledged apart from what was delivered after them.
    func hold(_ tags: some Sequence<UInt64>) { held.formUnion(tags) }

    /// Acknowledges deliveries, in the order in which they came: the oldest that are not held, or some that are.
    func acknowledge(_ tags: [UInt64]) throws(Interruption) {
        guard let last = tags.last else { return }
        try Interruption.onBroker { () throws(AMQPError) in
            guard held.contains(where: { $0 <= last }) else { return try connection.ack(last, multiple: true) }
            for tag in tags {
                held.remove(tag)
                try connection.ack(tag)
            }
        }
    }

    /// Takes no further jobs; those in hand stay. What a quorum queue has just sent on its way it takes back by itself.
    func stopConsuming() throws(Interruption) {
        guard isConsuming else { return }
        isConsuming = false
        try Interruption.onBroker { () throws(AMQPError) in
            for queue in queues { try connection.cancel(Self.tag(queue, generation)) }
        }
    }

    /// Changes how many deliveries may be in hand: that holds for consumers that begin, so each gives way to a new one. What is in hand stays.
    func setPrefetch(_ count: Int) throws(Interruption) {
        guard isConsuming, count != prefetch else { return }
        prefetch = count
        try Interruption.onBroker { () throws(AMQPError) in
            try connection.setPrefetch(count)
            for queue in queues {
                try connection.cancel(Self.tag(queue, generation))
                try connection.consume(queue, tag: Self.tag(queue, generation + 1))
            }
        }
        generation += 1
    }

    /// Gives back what is still in hand and closes the connection.
    func close() {
        connection.close()
    }
}
