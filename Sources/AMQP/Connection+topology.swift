internal import CLibRabbitMQ

extension Connection {
    /// Declares an exchange, or finds it as described.
    ///
    /// - Throws: 406 if it is there with other attributes, 403 if its name is reserved.
    public mutating func declareExchange(
        _ name: String, type: String, durable: Bool = true, internal isInternal: Bool = false, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_exchange_declare_t(
            ticket: 0, exchange: try scratch.short(name, "an exchange's name"),
            type: try scratch.short(type, "an exchange's type"),
            passive: 0, durable: durable ? 1 : 0, auto_delete: 0, internal: isInternal ? 1 : 0, nowait: 0,
            arguments: try scratch.table(arguments))
        _ = try call(AMQP_EXCHANGE_DECLARE_METHOD, method, expecting: AMQP_EXCHANGE_DECLARE_OK_METHOD)
    }

    /// Deletes an exchange with its bindings; one that is not there is no error.
    public mutating func deleteExchange(_ name: String) throws(AMQPError) {
        scratch.reset()
        let method = amqp_exchange_delete_t(
            ticket: 0, exchange: try scratch.short(name, "an exchange's name"), if_unused: 0, nowait: 0)
        _ = try call(AMQP_EXCHANGE_DELETE_METHOD, method, expecting: AMQP_EXCHANGE_DELETE_OK_METHOD)
    }

    /// Declares a queue, or finds it as described. An empty name lets the broker choose one.
    ///
    /// - Throws: 406 if it is there with other attributes, 405 if it is another connection's exclusive one.
    @discardableResult
    public mutating func declareQueue(
        _ name: String, durable: Bool = true, exclusive: Bool = false, autoDelete: Bool = false, arguments: FieldTable = [:]
    ) throws(AMQPError) -> QueueInfo {
        scratch.reset()
        let method = amqp_queue_declare_t(
            ticket: 0, queue: try scratch.short(name, "a queue's name"), passive: 0, durable: durable ? 1 : 0,
            exclusive: exclusive ? 1 : 0, auto_delete: autoDelete ? 1 : 0, nowait: 0, arguments: try scratch.table(arguments))
        return try declare(method, on: Self.mainChannel)
    }

    /// Whether there is an exchange of this name. Leaves the channel and its consumers alone.
    public mutating func hasExchange(_ name: String) throws(AMQPError) -> Bool {
        scratch.reset()
        let method = amqp_exchange_declare_t(
            ticket: 0, exchange: try scratch.short(name, "an exchange's name"), type: amqp_bytes_t(), passive: 1, durable: 0,
            auto_delete: 0, internal: 0, nowait: 0, arguments: amqp_table_t())
        try openProbeChannel()
        do {
            _ = try call(
                AMQP_EXCHANGE_DECLARE_METHOD, method, on: Self.probeChannel, expecting: AMQP_EXCHANGE_DECLARE_OK_METHOD)
            return true
        } catch  where error.kind == .channel && error.replyCode == 404 && !isProbeChannelOpen {
            return false
        }
    }

    private mutating func openProbeChannel() throws(AMQPError) {
        guard !isProbeChannelOpen else { return }
        try openChannel(Self.probeChannel)
        isProbeChannelOpen = true
    }

    /// Looks at a queue without touching it; nil if there is none. Leaves the channel and its consumers alone.
    public mutating func inspectQueue(_ name: String) throws(AMQPError) -> QueueInfo? {
        scratch.reset()
        let method = amqp_queue_declare_t(
            ticket: 0, queue: try scratch.short(name, "a queue's name"), passive: 1, durable: 0, exclusive: 0, auto_delete: 0,
            nowait: 0, arguments: amqp_table_t())
        try openProbeChannel()
        do {
            return try declare(method, on: Self.probeChannel)
        } catch  where error.kind == .channel && error.replyCode == 404 && !isProbeChannelOpen {
            return nil
        }
    }

    private mutating func declare(_ method: amqp_queue_declare_t, on channel: amqp_channel_t) throws(AMQPError) -> QueueInfo {
        let reply = try call(AMQP_QUEUE_DECLARE_METHOD, method, on: channel, expecting: AMQP_QUEUE_DECLARE_OK_METHOD)
        guard case .queueDeclared(let info) = reply else { preconditionFailure("`call` returns what it was to expect") }
        return info
    }

    /// Deletes a queue and returns how many messages went with it; one that is not there is no error.
    @discardableResult
    public mutating func deleteQueue(_ name: String, ifUnused: Bool = false, ifEmpty: Bool = false) throws(AMQPError) -> Int {
        scratch.reset()
        let method = amqp_queue_delete_t(
            ticket: 0, queue: try scratch.short(name, "a queue's name"), if_unused: ifUnused ? 1 : 0, if_empty: ifEmpty ? 1 : 0,
            nowait: 0)
        return try remove(AMQP_QUEUE_DELETE_METHOD, method, expecting: AMQP_QUEUE_DELETE_OK_METHOD)
    }

    /// Drops the ready messages of a queue and returns how many there were.
    @discardableResult
    public mutating func purge(_ queue: String) throws(AMQPError) -> Int {
        scratch.reset()
        let method = amqp_queue_purge_t(ticket: 0, queue: try scratch.short(queue, "a queue's name"), nowait: 0)
        return try remove(AMQP_QUEUE_PURGE_METHOD, method, expecting: AMQP_QUEUE_PURGE_OK_METHOD)
    }

    private mutating func remove<Method>(
        _ id: amqp_method_number_t, _ method: Method, expecting expected: amqp_method_number_t
    ) throws(AMQPError) -> Int {
        guard case .removed(_, let messageCount) = try call(id, method, expecting: expected) else { return 0 }
        return messageCount
    }

    public mutating func bindQueue(
        _ queue: String, exchange: String, routingKey: String, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_queue_bind_t(
            ticket: 0, queue: try scratch.short(queue, "a queue's name"),
            exchange: try scratch.short(exchange, "an exchange's name"),
            routing_key: try scratch.short(routingKey, "a routing key"), nowait: 0, arguments: try scratch.table(arguments))
        _ = try call(AMQP_QUEUE_BIND_METHOD, method, expecting: AMQP_QUEUE_BIND_OK_METHOD)
    }

    public mutating func unbindQueue(
        _ queue: String, exchange: String, routingKey: String, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_queue_unbind_t(
            ticket: 0, queue: try scratch.short(queue, "a queue's name"),
            exchange: try scratch.short(exchange, "an exchange's name"),
            routing_key: try scratch.short(routingKey, "a routing key"), arguments: try scratch.table(arguments))
        _ = try call(AMQP_QUEUE_UNBIND_METHOD, method, expecting: AMQP_QUEUE_UNBIND_OK_METHOD)
    }

    /// Lets an exchange receive what another one routes (a RabbitMQ extension).
    public mutating func bindExchange(
        _ destination: String, source: String, routingKey: String, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_exchange_bind_t(
            ticket: 0, destination: try scratch.short(destination, "an exchange's name"),
            source: try scratch.short(source, "an exchange's name"), routing_key: try scratch.short(routingKey, "a routing key"),
            nowait: 0, arguments: try scratch.table(arguments))
        _ = try call(AMQP_EXCHANGE_BIND_METHOD, method, expecting: AMQP_EXCHANGE_BIND_OK_METHOD)
    }

    public mutating func unbindExchange(
        _ destination: String, source: String, routingKey: String, arguments: FieldTable = [:]
    ) throws(AMQPError) {
        scratch.reset()
        let method = amqp_exchange_unbind_t(
            ticket: 0, destination: try scratch.short(destination, "an exchange's name"),
            source: try scratch.short(source, "an exchange's name"), routing_key: try scratch.short(routingKey, "a routing key"),
            nowait: 0, arguments: try scratch.table(arguments))
        _ = try call(AMQP_EXCHANGE_UNBIND_METHOD, method, expecting: AMQP_EXCHANGE_UNBIND_OK_METHOD)
    }
}
