internal import DequeModule

/// Alerts between the broker and their taker. A value without I/O: which are to be given next, which to be acknowledged, and which
/// ids were given before.
struct AlertBuffer {
    /// A delivery and the connection that it came over: another one's tags mean nothing.
    struct Delivery: Equatable {
        let connection: Int
        let tag: UInt64
    }

    struct Item {
        let delivery: Delivery
        let body: [UInt8]
    }

    /// Ids kept to recognise an alert that comes again.
    static let rememberedIDs = 10_000

    private var connection = 0
    private var items: Deque<Item> = []
    private var acknowledgements: [UInt64] = []
    private var seen: Set<String> = []
    private var order: Deque<String> = []

    /// A new connection: the broker delivers again what was not acknowledged, so nothing of the old one is kept.
    mutating func connected() {
        connection += 1
        items.removeAll()
        acknowledgements.removeAll()
    }

    mutating func arrived(tag: UInt64, body: [UInt8]) {
        items.append(Item(delivery: Delivery(connection: connection, tag: tag), body: body))
    }

    mutating func takeItem() -> Item? { items.popFirst() }

    /// Notes that a delivery is dealt with; one of an earlier connection comes again, and is acknowledged then.
    mutating func acknowledge(_ delivery: Delivery) {
        if delivery.connection == connection { acknowledgements.append(delivery.tag) }
    }

    var hasAcknowledgements: Bool { !acknowledgements.isEmpty }

    /// The tags to be acknowledged, each once.
    mutating func takeAcknowledgements() -> [UInt64] {
        defer { acknowledgements.removeAll() }
        return acknowledgements
    }

    /// Remembers an id.
    ///
    /// - Returns: whether it was not given before.
    mutating func isNew(_ id: String) -> Bool {
        guard seen.insert(id).inserted else { return false }
        order.append(id)
        if order.count > Self.rememberedIDs, let oldest = order.popFirst() { seen.remove(oldest) }
        return true
    }
}
