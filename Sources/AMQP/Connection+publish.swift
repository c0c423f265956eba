internal import CLibRabbitMQ

extension Connection {
    /// After so many publishes what has arrived is read, or confirms would fill both sides' buffers until neither can send.
    private static let publishesBetweenDrains = 64

    /// Publishes that the broker has not confirmed yet.
    public var unconfirmedCount: Int { ledger.unconfirmedCount }

    /// Turns on publisher confirms for this channel. Call it before the first publish: sequences count from here.
    public mutating func enableConfirms() throws(AMQPError) {
        _ = try call(AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t(nowait: 0), expecting: AMQP_CONFIRM_SELECT_OK_METHOD)
        confirmsEnabled = true
    }

    /// Sends a message and does not wait for its confirm.
    ///
    /// - Parameter mandatory: the broker returns the message if no queue is bound for it.
    /// - Returns: its sequence, from 1 in each channel; 0 when confirms are not enabled.
    /// - Throws: `blocked` while the broker takes none, `usage` for what AMQP cannot carry (names over 255 bytes, headers over a frame);
    ///   nothing was sent then. `channel` if an earlier publish broke it (404: no such exchange).
    @discardableResult
    public mutating func publish(
        exchange: String, routingKey: String, properties: Properties, body: UnsafeRawBufferPointer, mandatory: Bool = false
    ) throws(AMQPError) -> UInt64 {
        let state = try channelOpened()
        publishesSinceDrain += 1
        if publishesSinceDrain >= Self.publishesBetweenDrains { try drain() }
        guard !isBlocked else { throw AMQPError(.blocked, "the broker takes no publishes at the moment") }
        scratch.reset()
        let exchangeBytes = try scratch.short(exchange, "an exchange's name")
        let keyBytes = try scratch.short(routingKey, "a routing key")
        var native = try scratch.properties(properties)
        // The library has sent the method frame by the time it sees that the header frame is too long, and the channel is lost.
        guard scratch.encodedBytes < frameMaxBytes - 64 else {
            throw AMQPError(.usage, "the headers do not fit into a frame of \(frameMaxBytes) bytes")
        }
        let method = amqp_basic_publish_t(
            ticket: 0, exchange: exchangeBytes, routing_key: keyBytes, mandatory: mandatory ? 1 : 0, immediate: 0)
        let status = Self.send(method, &native, body, on: state, frameMaxBytes: frameMaxBytes)
        guard status == AMQP_STATUS_OK.rawValue else { throw fail(status: status, "cannot publish") }
        guard confirmsEnabled else { return 0 }
        guard mandatory else { return ledger.publish() }
        return ledger.publishMandatory(exchange: exchange, routingKey: routingKey, messageID: properties.messageID)
    }

    @discardableResult
    public mutating func publish(
        exchange: String, routingKey: String, properties: Properties, body: [UInt8], mandatory: Bool = false
    ) throws(AMQPError) -> UInt64 {
        try body.withUnsafeBufferPointer { bytes throws(AMQPError) in
            try publish(
                exchange: exchange, routingKey: routingKey, properties: properties, body: UnsafeRawBufferPointer(bytes),
                mandatory: mandatory)
        }
    }

    @discardableResult
    public mutating func publish(
        exchange: String, routingKey: String, properties: Properties, body: String, mandatory: Bool = false
    ) throws(AMQPError) -> UInt64 {
        try publish(
            exchange: exchange, routingKey: routingKey, properties: properties, body: Array(body.utf8), mandatory: mandatory)
    }

    /// Waits until at most `remaining` publishes are unconfirmed, by default none.
    ///
    /// Deliveries that arrive meanwhile are kept in order for `receive`.
    /// - Returns: what was refused or returned since the last call.
    /// - Throws: `timeout`, or `blocked` if the broker had said so: the confirms may still come, and may be awaited again. `channel` and
    ///   `connection` errors leave the outcome of what was unconfirmed unknown.
    public mutating func awaitConfirms(downTo remaining: Int = 0, timeoutSeconds: Double) throws(AMQPError) -> ConfirmOutcome {
        let deadline = Clock.now() + Int(timeoutSeconds * 1e6)
        while ledger.unconfirmedCount > remaining {
            _ = try channelOpened()
            switch try nextArrival(timeoutMicroseconds: deadline - Clock.now()) {
            case .progress: continue
            case .event(let event): pending.append(event)
            case .nothing:
                throw AMQPError(
                    isBlocked ? .blocked : .timeout,
                    "\(ledger.unconfirmedCount) publishes are unconfirmed after \(timeoutSeconds) s")
            case .reply: throw strayReply()
            }
        }
        return ledger.takeOutcome()
    }

    /// Octets of a frame around its payload.
    private static let frameOverheadBytes = 8

    /// The library cuts a body into frames as large as those that it takes itself, which the broker does not: longer ones are cut here.
    private static func send(
        _ method: amqp_basic_publish_t, _ properties: inout amqp_basic_properties_t, _ body: UnsafeRawBufferPointer,
        on state: OpaquePointer, frameMaxBytes: Int
    ) -> Int32 {
        func bytes(_ part: UnsafeRawBufferPointer) -> amqp_bytes_t {
            amqp_bytes_t(len: part.count, bytes: UnsafeMutableRawPointer(mutating: part.baseAddress))
        }
        let most = frameMaxBytes - frameOverheadBytes
        guard body.count > most else {
            return amqp_basic_publish(
                state, mainChannel, method.exchange, method.routing_key, method.mandatory, method.immediate, &properties,
                bytes(body))
        }
        var method = method
        var status = amqp_send_method(state, mainChannel, AMQP_BASIC_PUBLISH_METHOD, &method)
        guard status == AMQP_STATUS_OK.rawValue else { return status }
        var frame = amqp_frame_t()
        frame.frame_type = UInt8(AMQP_FRAME_HEADER)
        frame.channel = mainChannel
        status = withUnsafeMutablePointer(to: &properties) { properties in
            frame.payload.properties.class_id = UInt16(AMQP_BASIC_CLASS)
            frame.payload.properties.body_size = UInt64(body.count)
            frame.payload.properties.decoded = UnsafeMutableRawPointer(properties)
            return amqp_send_frame(state, &frame)
        }
        var rest = body[...]
        while status == AMQP_STATUS_OK.rawValue, !rest.isEmpty {
            frame = amqp_frame_t()
            frame.frame_type = UInt8(AMQP_FRAME_BODY)
            frame.channel = mainChannel
            frame.payload.body_fragment = bytes(UnsafeRawBufferPointer(rebasing: rest.prefix(most)))
            status = amqp_send_frame(state, &frame)
            rest = rest.dropFirst(most)
        }
        return status
    }

    /// Takes in what has arrived: confirms into the ledger, events to be received later.
    private mutating func drain() throws(AMQPError) {
        publishesSinceDrain = 0
        while true {
            switch try nextArrival(timeoutMicroseconds: 0) {
            case .nothing: return
            case .progress: continue
            case .reply: throw strayReply()
            case .event(let event): pending.append(event)
            }
        }
    }
}
