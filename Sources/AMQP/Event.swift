/// What the broker sent that a caller of ``Connection/receive(timeoutMilliseconds:)`` has to know.
public enum Event {
    case delivery(Delivery)
    /// The broker ended a consumer, because its queue was deleted or its node lost.
    case consumerCancelled(tag: String)
    /// The broker takes no publishes on this connection until `unblocked`.
    case blocked(reason: String)
    case unblocked
    /// A mandatory publish no queue was bound for, on a connection without confirms. With confirms it is in ``ConfirmOutcome``.
    case returned(Returned)
}

/// A mandatory message that came back because no queue was bound for it (`basic.return`).
public struct Returned: Sendable, Equatable {
    /// The publish it belongs to; 0 when confirms are not enabled.
    public var sequence: UInt64
    /// 312 (NO_ROUTE) as a rule.
    public var replyCode: Int
    public var replyText: String
    public var exchange: String
    public var routingKey: String
    public var messageID: String?

    public init(
        sequence: UInt64, replyCode: Int, replyText: String, exchange: String, routingKey: String, messageID: String? = nil
    ) {
        self.sequence = sequence
        self.replyCode = replyCode
        self.replyText = replyText
        self.exchange = exchange
        self.routingKey = routingKey
        self.messageID = messageID
    }
}

/// What became of the publishes since the last outcome, as far as it is not plain success.
public struct ConfirmOutcome: Sendable, Equatable {
    /// Sequences the broker refused (a full queue with `reject-publish`, say), ascending within one frame.
    public var nacked: [UInt64] = []
    /// Unroutable mandatory publishes. The broker confirms them all the same.
    public var returned: [Returned] = []

    public var isSuccess: Bool { nacked.isEmpty && returned.isEmpty }

    public init(nacked: [UInt64] = [], returned: [Returned] = []) {
        self.nacked = nacked
        self.returned = returned
    }
}

/// A queue as `queue.declare-ok` describes it.
public struct QueueInfo: Sendable, Equatable {
    public var name: String
    /// Messages ready for delivery.
    public var messageCount: Int
    public var consumerCount: Int

    public init(name: String, messageCount: Int, consumerCount: Int) {
        self.name = name
        self.messageCount = messageCount
        self.consumerCount = consumerCount
    }
}

/// Events that arrived while something else was waited for, first in, first out.
struct EventQueue {
    private var events: [Event?] = []
    private var head = 0

    var isEmpty: Bool { head == events.count }

    mutating func append(_ event: Event) { events.append(event) }

    mutating func popFirst() -> Event? {
        guard head < events.count else { return nil }
        defer {
            head += 1
            if head == events.count {
                events.removeAll(keepingCapacity: head <= 1024)
                head = 0
            }
        }
        return events[head].take()
    }

    /// Their tags mean nothing once the channel is closed: the broker delivers them again.
    mutating func removeDeliveries() {
        events = events[head...].filter { if case .delivery? = $0 { false } else { true } }
        head = 0
    }
}
