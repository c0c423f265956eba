/// Which statements a connection holds prepared: a bounded map from statement to server-side name, least recently used first out.
///
/// A pure value: it returns what must be sent (prepare, deallocate). Names are never used twice.
struct StatementCache {
    enum Lookup: Equatable {
        case prepared(name: String)
        /// Prepare under this name, and deallocate those that made room.
        case missing(name: String, replaced: String?)
    }

    private struct Slot {
        var statement: Statement
        var types: [UInt32]
        var name: String
        var newer: Int
        var older: Int
    }

    private static let none = -1

    let capacity: Int
    private var slotOf: [Statement: Int] = [:]
    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var newest = Self.none
    private var oldest = Self.none
    private var namesGiven = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { slotOf.count }

    /// Finds the statement or makes room for it. A statement prepared with other parameter types is replaced.
    mutating func use(_ statement: Statement, types: [UInt32]) -> Lookup {
        if let slot = slotOf[statement] {
            touch(slot)
            if slots[slot].types == types { return .prepared(name: slots[slot].name) }
            let replaced = slots[slot].name
            slots[slot].name = nextName()
            slots[slot].types = types
            return .missing(name: slots[slot].name, replaced: replaced)
        }
        var replaced: String?
        if slotOf.count >= capacity {
            replaced = slots[oldest].name
            remove(oldest)
        }
        let name = nextName()
        insert(Slot(statement: statement, types: types, name: name, newer: Self.none, older: Self.none))
        return .missing(name: name, replaced: replaced)
    }

    /// Drops a statement whose preparation failed or whose plan is invalid, unless it has a newer name by now.
    mutating func forget(_ statement: Statement, name: String) {
        guard let slot = slotOf[statement], slots[slot].name == name else { return }
        remove(slot)
    }

    private mutating func nextName() -> String {
        namesGiven += 1
        return "s\(namesGiven)"
    }

    private mutating func insert(_ entry: Slot) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot] = entry
        } else {
            slot = slots.count
            slots.append(entry)
        }
        slotOf[entry.statement] = slot
        linkNewest(slot)
    }

    private mutating func remove(_ slot: Int) {
        slotOf[slots[slot].statement] = nil
        unlink(slot)
        freeSlots.append(slot)
    }

    private mutating func touch(_ slot: Int) {
        guard slot != newest else { return }
        unlink(slot)
        linkNewest(slot)
    }

    private mutating func linkNewest(_ slot: Int) {
        slots[slot].newer = Self.none
        slots[slot].older = newest
        if newest != Self.none { slots[newest].newer = slot }
        newest = slot
        if oldest == Self.none { oldest = slot }
    }

    private mutating func unlink(_ slot: Int) {
        let (newer, older) = (slots[slot].newer, slots[slot].older)
        if newer == Self.none { newest = older } else { slots[newer].older = older }
        if older == Self.none { oldest = newer } else { slots[older].newer = newer }
    }
}
