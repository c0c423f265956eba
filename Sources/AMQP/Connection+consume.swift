internal import CLibRabbitMQ

extension Connection {
    /// How much of a body is taken. A message cannot be refused on its way, so what is over the bound is dropped as it arrives.
    public struct BodyBound {
        /// The most bytes of a whole body, by its message's routing key.
        public var mostBytes: (UnsafeRawBufferPointer) -> Int
        /// What is kept of a body that has more.
        public var keptBytes: Int
        /// What no bound is below: ``mostBytes`` is not asked for a body that has no more.
        public var leastBytes: Int

        public init(keptBytes: Int, leastBytes: Int = 0, mostBytes: @escaping (UnsafeRawBufferPointer) -> Int) {
            self.keptBytes = keptBytes
            self.leastBytes = leastBytes
            self.mostBytes = mostBytes
        }

        func keptBytes(of bodyBytes: Int, routingKey: UnsafeRawBufferPointer) -> Int {
            bodyBytes <= leastBytes || bodyBytes <= mostBytes(routingKey) ? bodyBytes : min(keptBytes, bodyBytes)
        }
    }

    /// nil: every body is kept whole.
    public var bodyBound: BodyBound? {
        get { assembler.bodyBound }
        set { assembler.bodyBound = newValue }
    }

    /// How many deliveries may be unacknowledged at once, per consumer started after this (1 to 65535; 0 is no limit, but not for
    /// quorum queues). Source: [Consumer prefetch](https://www.rabbitmq.com/consumer-prefetch.html).
    public mutating func setPrefetch(_ count: Int) throws(AMQPError) {
        guard let short = UInt16(exactly: count) else { throw AMQPError(.usage, "the prefetch count must be 0 to 65535") }
        let method = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: short, global: 0)
        _ = try call(AMQP_BASIC_QOS_METHOD, method, expecting: AMQP_BASIC_QOS_OK_METHOD)
        prefetchCount = count
    }

    /// Starts a consumer whose deliveries must be acknowledged.
    ///
    /// - Parameter isAcknowledging: false: the broker takes each delivery for acknowledged as it sends it, and may send any number
    ///   at once. [Direct reply-to](https://www.rabbitmq.com/direct-reply-to.html) asks for this.
    /// - Throws: 404 if there is no such queue, 403 if it has an exclusive consumer; a tag in use closes the connection (530).
    public mutating func consume(
        _ queue: String, tag: String, arguments: FieldTable = [:], exclusive: Bool = false, isAcknowledging: Bool = true
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_basic_consume_t(
            ticket: 0, queue: try scratch.short(queue, "a queue's name"),
            consumer_tag: try scratch.short(tag, "a consumer's tag"),
            no_local: 0, no_ack: isAcknowledging ? 0 : 1, exclusive: exclusive ? 1 : 0, nowait: 0,
            arguments: try scratch.table(arguments))
        _ = try call(AMQP_BASIC_CONSUME_METHOD, method, expecting: AMQP_BASIC_CONSUME_OK_METHOD)
    }

    /// Ends a consumer. What was delivered before is still there for `receive`, and to be acknowledged.
    public mutating func cancel(_ tag: String) throws(AMQPError) {
        scratch.reset()
        let method = amqp_basic_cancel_t(consumer_tag: try scratch.short(tag, "a consumer's tag"), nowait: 0)
        _ = try call(AMQP_BASIC_CANCEL_METHOD, method, expecting: AMQP_BASIC_CANCEL_OK_METHOD)
    }

    /// Fetches one message, to be acknowledged; nil if the queue is empty.
    public mutating func get(_ queue: String) throws(AMQPError) -> Delivery? {
        scratch.reset()
        let method = amqp_basic_get_t(ticket: 0, queue: try scratch.short(queue, "a queue's name"), no_ack: 0)
        guard case .got(let delivery) = try call(AMQP_BASIC_GET_METHOD, method, expecting: AMQP_BASIC_GET_OK_METHOD) else {
            return nil
        }
        return delivery
    }

    /// The next event that is there, or that comes within the timeout; nil if there is none.
    ///
    /// With timeout 0 it takes what can be read now and costs about a microsecond if there is nothing. Sends and checks heartbeats.
    /// - Throws: kind `channel` if the broker closed the channel, `connection` if the connection is lost.
    public mutating func receive(timeoutMilliseconds: Int) throws(AMQPError) -> Event? {
        if let event = pending.popFirst() { return event }
        _ = try channelOpened()
        let deadline = timeoutMilliseconds > 0 ? Clock.now() + timeoutMilliseconds * 1000 : 0
        while true {
            let remaining = timeoutMilliseconds > 0 ? deadline - Clock.now() : 0
            switch try nextArrival(timeoutMicroseconds: remaining) {
            case .nothing: return nil
            case .progress: continue
            case .event(let event): return event
            case .reply: throw strayReply()
            }
        }
    }

    /// Acknowledges a delivery, or with `multiple` every delivery up to it.
    public mutating func ack(_ tag: UInt64, multiple: Bool = false) throws(AMQPError) {
        try send(AMQP_BASIC_ACK_METHOD, amqp_basic_ack_t(delivery_tag: tag, multiple: multiple ? 1 : 0))
    }

    /// Gives a delivery back, or with `multiple` every delivery up to it: to its queue, or to be dropped or dead-lettered.
    public mutating func nack(_ tag: UInt64, multiple: Bool = false, requeue: Bool) throws(AMQPError) {
        let method = amqp_basic_nack_t(delivery_tag: tag, multiple: multiple ? 1 : 0, requeue: requeue ? 1 : 0)
        try send(AMQP_BASIC_NACK_METHOD, method)
    }

    /// Gives one delivery back.
    public mutating func reject(_ tag: UInt64, requeue: Bool) throws(AMQPError) {
        try send(AMQP_BASIC_REJECT_METHOD, amqp_basic_reject_t(delivery_tag: tag, requeue: requeue ? 1 : 0))
    }
}
