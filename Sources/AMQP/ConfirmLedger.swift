/// Publisher confirms as a pure value: which publishes are still open, and what became of the others.
///
/// RabbitMQ numbers the publishes of a channel from 1 and confirms them one by one or `multiple`, in any order; an unroutable
/// mandatory message is returned before it is confirmed ([Publisher confirms](https://www.rabbitmq.com/confirms.html)).
public struct ConfirmLedger: Sendable {
    private struct Mandatory: Sendable {
        var sequence: UInt64
        var exchange: String
        var routingKey: String
        var messageID: String?
        var isReturned = false
    }

    /// Every sequence up to here is settled.
    private var settledThrough: UInt64 = 0
    /// Whether the sequences after `settledThrough` are settled; `head` is the first of them.
    private var settled: [Bool] = []
    private var head = 0
    /// Mandatory publishes, ascending; those before `mandatoryHead` are settled.
    private var mandatory: [Mandatory] = []
    private var mandatoryHead = 0
    private var outcome = ConfirmOutcome()

    /// Publishes that are neither acknowledged nor refused.
    public private(set) var unconfirmedCount = 0

    public init() {}

    /// The sequence that the next publish gets.
    public var nextSequence: UInt64 { settledThrough + UInt64(settled.count - head) + 1 }

    /// Notes a publish and returns its sequence.
    public mutating func publish() -> UInt64 {
        let sequence = nextSequence
        settled.append(false)
        unconfirmedCount += 1
        return sequence
    }

    /// Notes a mandatory publish, remembering what a return will look like, and returns its sequence.
    public mutating func publishMandatory(exchange: String, routingKey: String, messageID: String?) -> UInt64 {
        let sequence = publish()
        mandatory.append(Mandatory(sequence: sequence, exchange: exchange, routingKey: routingKey, messageID: messageID))
        return sequence
    }

    public mutating func acknowledge(_ tag: UInt64, multiple: Bool) { settle(tag, multiple: multiple, refused: false) }

    public mutating func refuse(_ tag: UInt64, multiple: Bool) { settle(tag, multiple: multiple, refused: true) }

    /// Notes a return. It belongs to the first open mandatory publish with the same exchange, key and message id: returns come in
    /// the order of the publishes and before their confirms. With no such publish the sequence is 0.
    public mutating func giveBack(_ returned: Returned) {
        var returned = returned
        let index = mandatory[mandatoryHead...].firstIndex {
            !$0.isReturned && $0.messageID == returned.messageID && $0.routingKey == returned.routingKey
                && $0.exchange == returned.exchange && isOpen($0.sequence)
        }
        if let index {
            mandatory[index].isReturned = true
            returned.sequence = mandatory[index].sequence
        }
        outcome.returned.append(returned)
    }

    /// The refused and returned publishes since the last call.
    public mutating func takeOutcome() -> ConfirmOutcome {
        defer { outcome = ConfirmOutcome() }
        return outcome
    }

    private mutating func settle(_ tag: UInt64, multiple: Bool, refused: Bool) {
        guard tag > settledThrough, tag < nextSequence else { return }
        let last = head + Int(tag - settledThrough) - 1
        for index in (multiple ? head : last)...last where !settled[index] {
            settled[index] = true
            unconfirmedCount -= 1
            if refused { outcome.nacked.append(settledThrough + UInt64(index - head) + 1) }
        }
        advance()
    }

    /// Whether a sequence that was given out is neither acknowledged nor refused.
    public func isOpen(_ sequence: UInt64) -> Bool {
        sequence > settledThrough && sequence < nextSequence && !settled[head + Int(sequence - settledThrough) - 1]
    }

    private mutating func advance() {
        while head < settled.count, settled[head] {
            head += 1
            settledThrough += 1
        }
        while mandatoryHead < mandatory.count, mandatory[mandatoryHead].sequence <= settledThrough { mandatoryHead += 1 }
        Self.compact(&settled, &head)
        Self.compact(&mandatory, &mandatoryHead)
    }

    /// Drops the elements before `head` once they are worth the move.
    private static func compact<Element>(_ elements: inout [Element], _ head: inout Int) {
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
        } else if head > 4096, head > elements.count / 2 {
            elements.removeFirst(head)
        } else {
            return
        }
        head = 0
    }
}
