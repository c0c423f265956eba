internal import AMQP
internal import Contract
internal import Glibc

/// A lane's consuming connection and what has been read from it: the deliveries in hand, in the order of their tags.
final class Intake {
    private var connection: AMQP.Connection
    private var deliveries: [Delivery] = []
    private var head = 0
    private var bufferedBytes = 0
    private let mostBytes: Int
    private let heartbeatSeconds: Double
    private var lastReadAt = SystemClock.monotonicSeconds()
    private let tags: [String]
    private(set) var isConsuming = true
    /// What went wrong while nobody could be told; thrown by the next ``pump()``.
    private var failure: AMQPError?

    init(_ url: BrokerURL, name: String, heartbeatSeconds: Int, queues: [String], prefetch: Int, mostBytes: Int) throws(AMQPError)
    {
        connection = try AMQP.Connection(url, name: name, heartbeatSeconds: heartbeatSeconds)
        self.mostBytes = mostBytes
        self.heartbeatSeconds = Double(heartbeatSeconds)
        tags = queues
        try connection.setPrefetch(min(prefetch, 65_535))
        for queue in queues { try connection.consume(queue, tag: queue) }
    }

    var descriptor: Int32 { connection.descriptor }
    var isEmpty: Bool { head == deliveries.count }
    var count: Int { deliveries.count - head }

    /// Reads whatever is there, without waiting, up to the bounds; also what keeps the heartbeat going.
    func pump() throws(AMQPError) {
        if let failure { throw failure }
        while isRoom, let event = try connection.receive(timeoutMilliseconds: 0) {
            lastReadAt = SystemClock.monotonicSeconds()
            switch event {
            case .delivery(let delivery):
                bufferedBytes += delivery.bodyBytes
                deliveries.append(delivery)
            case .consumerCancelled(let tag):
                throw AMQPError(.channel, "the broker cancelled the consumer of \(tag): its queue was deleted or moved")
            case .blocked, .unblocked, .returned:
                // This connection publishes nothing, so nothing of its can be blocked or come back.
                break
            }
        }
    }

    /// Whether to read on. A full lane still looks now and then: a connection that is never read is taken for dead.
    private var isRoom: Bool { bufferedBytes < mostBytes || SystemClock.monotonicSeconds() - lastReadAt > heartbeatSeconds / 4 }

    /// Reads ahead while the lane waits for its database.
    func readAhead() {
        do throws(AMQPError) {
            try pump()
        } catch {
            failure = error
        }
    }

    /// Waits until something can be read from the broker, or `wake` can be read, or the time is over.
    func wait(wake: Int32, timeoutMilliseconds: Int32) {
        guard !connection.hasBufferedInput else { return }
        var descriptors = [
            pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        // An interrupted or failed poll only ends the wait early: what is wrong shows at the next read.
        _ = poll(&descriptors, 2, timeoutMilliseconds)
    }

    /// Takes the next jobs of one kind off the front: as many as lie there in a row, up to `limit`.
    func takeBatch(limit: (Kind?) -> Int) -> [Delivery] {
        guard head < deliveries.count else { return [] }
        let first = deliveries[head]
        let most = min(count, max(1, limit(Envelope.kind(of: first))))
        var end = head + 1
        while end < head + most, deliveries[end].routingKeyBytes.elementsEqual(first.routingKeyBytes) { end += 1 }
        let batch = Array(deliveries[head..<end])
        head = end
        if head == deliveries.count {
            deliveries.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 4_096, head > deliveries.count / 2 {
            deliveries.removeFirst(head)
            head = 0
        }
        for delivery in batch { bufferedBytes -= delivery.bodyBytes }
        return batch
    }

    /// Acknowledges this delivery and all before it.
    func acknowledge(through tag: UInt64) throws(AMQPError) {
        try connection.ack(tag, multiple: true)
    }

    /// Takes no further jobs; those in hand stay. What a quorum queue has just sent on its way it takes back by itself.
    func stopConsuming() throws(AMQPError) {
        guard isConsuming else { return }
        isConsuming = false
        for tag in tags { try connection.cancel(tag) }
    }

    /// Gives back what is still in hand and says goodbye.
    func close() {
        connection.close()
    }
}
