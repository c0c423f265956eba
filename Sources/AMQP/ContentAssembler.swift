internal import CLibRabbitMQ

/// The method frame of a delivery. Its bytes lie in the library's frame pool, which must not be released before the header frame is here.
struct DeliveryOpening {
    var deliveryTag: UInt64
    var redelivered: Bool
    var exchange: amqp_bytes_t
    var routingKey: amqp_bytes_t
    var consumerTag: amqp_bytes_t

    init(_ deliver: amqp_basic_deliver_t) {
        deliveryTag = deliver.delivery_tag
        redelivered = deliver.redelivered != 0
        exchange = deliver.exchange
        routingKey = deliver.routing_key
        consumerTag = deliver.consumer_tag
    }

    init(_ got: amqp_basic_get_ok_t) {
        deliveryTag = got.delivery_tag
        redelivered = got.redelivered != 0
        exchange = got.exchange
        routingKey = got.routing_key
        consumerTag = amqp_bytes_t()
    }
}

/// Puts method, header and body frames of one message together.
///
/// Instead of the library's `amqp_read_message`, which blocks until the last frame is here, so that a lane is never held up by a
/// message that is still on its way.
struct ContentAssembler {
    enum Content {
        case delivery(Delivery)
        case got(Delivery)
        case returned(Returned)
    }

    private enum State {
        case idle
        case deliveryOpened(DeliveryOpening, isGet: Bool)
        case returnOpened(Returned)
        case deliveryBody(Delivery, isGet: Bool)
        case returnBody(Returned, missingBytes: UInt64)
    }

    private var state = State.idle
    var bodyBound: Connection.BodyBound?

    /// Whether a method frame waits for its header: the pool still holds what we need.
    var isAwaitingHeader: Bool {
        switch state {
        case .deliveryOpened: true
        default: false
        }
    }

    mutating func reset() { state = .idle }

    mutating func open(_ opening: DeliveryOpening, isGet: Bool) { state = .deliveryOpened(opening, isGet: isGet) }

    mutating func open(_ returned: Returned) { state = .returnOpened(returned) }

    mutating func header(raw: amqp_bytes_t, bodyBytes: UInt64) throws(AMQPError) -> Content? {
        switch state {
        case .deliveryOpened(let opening, let isGet):
            let key = UnsafeRawBufferPointer(start: opening.routingKey.bytes, count: opening.routingKey.len)
            guard let size = Int(exactly: bodyBytes),
                let delivery = Delivery(
                    opening, rawProperties: raw, bodyBytes: size,
                    keptBytes: bodyBound?.keptBytes(of: size, routingKey: key) ?? size)
            else {
                throw AMQPError(.library, "no memory for a message of \(bodyBytes) bytes")
            }
            if size == 0 { return complete(delivery, isGet: isGet) }
            state = .deliveryBody(delivery, isGet: isGet)
        case .returnOpened(var returned):
            returned.messageID = PropertyField.messageID.find(in: UnsafeRawBufferPointer(start: raw.bytes, count: raw.len))
                .map { String(decoding: $0, as: UTF8.self) }
            if bodyBytes == 0 { return complete(returned) }
            state = .returnBody(returned, missingBytes: bodyBytes)
        case .idle, .deliveryBody, .returnBody: throw Self.outOfPlace
        }
        return nil
    }

    mutating func body(_ fragment: amqp_bytes_t) throws(AMQPError) -> Content? {
        switch state {
        case .deliveryBody(let delivery, let isGet):
            guard delivery.append(fragment) else { throw Self.outOfPlace }
            return delivery.isComplete ? complete(delivery, isGet: isGet) : nil
        case .returnBody(let returned, let missingBytes):
            guard fragment.len <= missingBytes else { throw Self.outOfPlace }
            let missing = missingBytes - UInt64(fragment.len)
            if missing == 0 { return complete(returned) }
            state = .returnBody(returned, missingBytes: missing)
            return nil
        case .idle, .deliveryOpened, .returnOpened: throw Self.outOfPlace
        }
    }

    private mutating func complete(_ delivery: Delivery, isGet: Bool) -> Content {
        state = .idle
        return isGet ? .got(delivery) : .delivery(delivery)
    }

    private mutating func complete(_ returned: Returned) -> Content {
        state = .idle
        return .returned(returned)
    }

    private static var outOfPlace: AMQPError { AMQPError(.library, "a content frame out of place") }
}
