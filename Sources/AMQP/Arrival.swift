internal import CLibRabbitMQ
internal import Glibc

/// What one frame turned out to be.
enum Arrival {
    /// The time is over and there was none.
    case nothing
    /// A frame that is dealt with: part of a message, a confirm.
    case progress
    case event(Event)
    case reply(Reply)
}

/// The answer to one of our methods, copied out of the frame.
enum Reply {
    case done(method: amqp_method_number_t)
    case queueDeclared(QueueInfo)
    case removed(method: amqp_method_number_t, messageCount: Int)
    case got(Delivery)
    case nothingToGet
}

extension Reply {
    init(_ method: amqp_method_number_t, _ decoded: UnsafeMutableRawPointer) {
        switch method {
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let declared = decoded.load(as: amqp_queue_declare_ok_t.self)
            self = .queueDeclared(
                QueueInfo(
                    name: declared.queue.text, messageCount: Int(declared.message_count),
                    consumerCount: Int(declared.consumer_count)))
        case AMQP_QUEUE_DELETE_OK_METHOD:
            self = .removed(method: method, messageCount: Int(decoded.load(as: amqp_queue_delete_ok_t.self).message_count))
        case AMQP_QUEUE_PURGE_OK_METHOD:
            self = .removed(method: method, messageCount: Int(decoded.load(as: amqp_queue_purge_ok_t.self).message_count))
        case AMQP_BASIC_GET_EMPTY_METHOD: self = .nothingToGet
        default: self = .done(method: method)
        }
    }

    func answers(_ expected: amqp_method_number_t) -> Bool {
        switch self {
        case .done(let method), .removed(let method, _): method == expected
        case .queueDeclared: expected == AMQP_QUEUE_DECLARE_OK_METHOD
        case .got, .nothingToGet: expected == AMQP_BASIC_GET_OK_METHOD
        }
    }
}

extension Returned {
    init(_ frame: amqp_basic_return_t) {
        self.init(
            sequence: 0, replyCode: Int(frame.reply_code), replyText: frame.reply_text.text, exchange: frame.exchange.text,
            routingKey: frame.routing_key.text)
    }
}

/// Microseconds of the monotonic clock.
enum Clock {
    static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}
