internal import CLibRabbitMQ
internal import Glibc

extension Connection {
    /// Sends a method and waits for its answer; whatever arrives meanwhile is kept for `receive`.
    ///
    /// Not the library's `amqp_simple_rpc`: that one puts other frames into a queue of its own, and we are to tell its memory when to go.
    mutating func call<Method>(
        _ id: amqp_method_number_t, _ method: Method, on channel: amqp_channel_t = mainChannel,
        expecting expected: amqp_method_number_t, within seconds: Double = replyTimeoutSeconds
    ) throws(AMQPError) -> Reply {
        try send(id, method, on: channel)
        let deadline = Clock.now() + Int(seconds * 1e6)
        while true {
            switch try nextArrival(timeoutMicroseconds: deadline - Clock.now(), awaiting: channel) {
            case .nothing:
                destroy()
                throw AMQPError(.connection, "no answer from the broker within \(seconds) s")
            case .progress: continue
            case .event(let event): pending.append(event)
            case .reply(let reply):
                guard reply.answers(expected) else { throw strayReply() }
                return reply
            }
        }
    }

    /// As `nextArrival`; but while another channel's answer is awaited, the closing of the main channel is only noted for later.
    private mutating func nextArrival(timeoutMicroseconds: Int, awaiting channel: amqp_channel_t) throws(AMQPError) -> Arrival {
        let wasOpen = channelClosure == nil
        do throws(AMQPError) {
            return try nextArrival(timeoutMicroseconds: timeoutMicroseconds)
        } catch {
            guard channel != Self.mainChannel, wasOpen, channelClosure != nil, isUsable else { throw error }
            return .progress
        }
    }

    /// An answer that nobody asked for: we and the broker no longer agree on where we are.
    mutating func strayReply() -> AMQPError {
        destroy()
        return AMQPError(.library, "an answer that nobody asked for")
    }

    /// Sends a method that has no answer.
    mutating func send<Method>(
        _ id: amqp_method_number_t, _ method: Method, on channel: amqp_channel_t = mainChannel
    ) throws(AMQPError) {
        let state = channel == Self.mainChannel ? try channelOpened() : try opened()
        var method = method
        let status = withUnsafeMutablePointer(to: &method) { amqp_send_method(state, channel, id, $0) }
        guard status == AMQP_STATUS_OK.rawValue else { throw fail(status: status, "cannot send") }
    }

    /// Reads one frame and deals with it. The library sends and checks heartbeats in here.
    mutating func nextArrival(timeoutMicroseconds: Int) throws(AMQPError) -> Arrival {
        let state = try opened()
        let limit = max(timeoutMicroseconds, 0)
        var timeout = timeval(tv_sec: limit / 1_000_000, tv_usec: limit % 1_000_000)
        var frame = amqp_frame_t()
        let status = amqp_simple_wait_frame_noblock(state, &frame, &timeout)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return .nothing }
        guard status == AMQP_STATUS_OK.rawValue else { throw fail(status: status, "the connection is lost") }
        let arrival = try dispatch(frame)
        // What the frame said is copied; only the method frame of a delivery is still needed, until its header is here.
        if !assembler.isAwaitingHeader, let state = self.state { amqp_maybe_release_buffers(state) }
        return arrival
    }

    private mutating func dispatch(_ frame: amqp_frame_t) throws(AMQPError) -> Arrival {
        do {
            switch Int32(frame.frame_type) {
            case AMQP_FRAME_METHOD: return try dispatch(frame.payload.method, on: frame.channel)
            case AMQP_FRAME_HEADER:
                let header = frame.payload.properties
                return arrival(of: try assembler.header(raw: header.raw, bodyBytes: header.body_size))
            case AMQP_FRAME_BODY: return arrival(of: try assembler.body(frame.payload.body_fragment))
            default: return .progress
            }
        } catch {
            if error.isConnectionLoss { destroy() }
            throw error
        }
    }

    private mutating func arrival(of content: ContentAssembler.Content?) -> Arrival {
        switch content {
        case nil: return .progress
        case .delivery(let delivery): return .event(.delivery(delivery))
        case .got(let delivery): return .reply(.got(delivery))
        case .returned(let returned):
            guard confirmsEnabled else { return .event(.returned(returned)) }
            ledger.giveBack(returned)
            return .progress
        }
    }

    private mutating func dispatch(_ method: amqp_method_t, on channel: amqp_channel_t) throws(AMQPError) -> Arrival {
        guard let decoded = method.decoded else { throw AMQPError(.library, "a method without arguments") }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            assembler.open(DeliveryOpening(decoded.load(as: amqp_basic_deliver_t.self)), isGet: false)
        case AMQP_BASIC_ACK_METHOD:
            let ack = decoded.load(as: amqp_basic_ack_t.self)
            ledger.acknowledge(ack.delivery_tag, multiple: ack.multiple != 0)
        case AMQP_BASIC_NACK_METHOD:
            let nack = decoded.load(as: amqp_basic_nack_t.self)
            ledger.refuse(nack.delivery_tag, multiple: nack.multiple != 0)
        case AMQP_BASIC_RETURN_METHOD:
            assembler.open(Returned(decoded.load(as: amqp_basic_return_t.self)))
        case AMQP_BASIC_GET_OK_METHOD:
            assembler.open(DeliveryOpening(decoded.load(as: amqp_basic_get_ok_t.self)), isGet: true)
        case AMQP_BASIC_CANCEL_METHOD:
            let cancel = decoded.load(as: amqp_basic_cancel_t.self)
            let tag = cancel.consumer_tag.text
            if cancel.nowait == 0 {
                try send(AMQP_BASIC_CANCEL_OK_METHOD, amqp_basic_cancel_ok_t(consumer_tag: cancel.consumer_tag), on: channel)
            }
            return .event(.consumerCancelled(tag: tag))
        case AMQP_CONNECTION_BLOCKED_METHOD:
            isBlocked = true
            return .event(.blocked(reason: decoded.load(as: amqp_connection_blocked_t.self).reason.text))
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            isBlocked = false
            return .event(.unblocked)
        case AMQP_CHANNEL_FLOW_METHOD:
            let flow = decoded.load(as: amqp_channel_flow_t.self)
            try send(AMQP_CHANNEL_FLOW_OK_METHOD, amqp_channel_flow_ok_t(active: flow.active), on: channel)
        case AMQP_CHANNEL_CLOSE_METHOD:
            throw try channelClosed(decoded.load(as: amqp_channel_close_t.self), channel)
        case AMQP_CONNECTION_CLOSE_METHOD:
            throw try connectionClosed(decoded.load(as: amqp_connection_close_t.self))
        default: return .reply(Reply(method.id, decoded))
        }
        return .progress
    }

    /// The broker waits for our close-ok before the channel number may be used again.
    private mutating func channelClosed(_ close: amqp_channel_close_t, _ channel: amqp_channel_t) throws(AMQPError) -> AMQPError {
        let error = AMQPError(.channel, replyCode: Int(close.reply_code), close.reply_text.text)
        try send(AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t(), on: channel)
        if channel == Self.mainChannel {
            channelClosure = error
            pending.removeDeliveries()
            assembler.reset()
        } else {
            isProbeChannelOpen = false
        }
        return error
    }

    private mutating func connectionClosed(_ close: amqp_connection_close_t) throws(AMQPError) -> AMQPError {
        let error = AMQPError(.connection, replyCode: Int(close.reply_code), "closed by the broker: \(close.reply_text.text)")
        try send(AMQP_CONNECTION_CLOSE_OK_METHOD, amqp_connection_close_ok_t(), on: 0)
        return error
    }
}
