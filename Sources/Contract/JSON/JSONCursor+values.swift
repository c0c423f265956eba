extension JSONCursor {
    /// Passes over the next value, whatever it is; false where it is not JSON, or where a bound of the budget is passed.
    ///
    /// - Parameter depth: how many containers are open around the value.
    mutating func skipValue(depth: Int) -> Bool {
        var level = depth
        var objects: UInt64 = 0  // bit n: the container at level n + 1 is an object
        while true {
            skipSpace()
            if values > budget.values { return stop(at: .values) }
            switch byte {
            case Ascii.openBrace:
                guard level < budget.depth else { return stop(at: .depth) }
                objects |= 1 << level
                level += 1
                position += 1
                if !take(Ascii.closeBrace) {
                    guard name() != nil else { return false }
                    continue
                }
                level -= 1
            case Ascii.openBracket:
                guard level < budget.depth else { return stop(at: .depth) }
                objects &= ~(1 << level)
                level += 1
                position += 1
                if !take(Ascii.closeBracket) {
                    values += 1
                    continue
                }
                level -= 1
            default:
                guard skipScalar() else { return false }
            }
            // A value has ended: close what ends with it, up to the comma that brings the next one.
            while true {
                if level == depth { return true }
                let isObject = objects >> (level - 1) & 1 == 1
                if take(Ascii.comma) {
                    if !isObject { values += 1 } else if name() == nil { return false }
                    break
                }
                guard take(isObject ? Ascii.closeBrace : Ascii.closeBracket) else { return false }
                level -= 1
            }
        }
    }

    private mutating func skipScalar() -> Bool {
        switch byte {
        case Ascii.quote: text() != nil
        case 0x74: takeWord("true")
        case 0x66: takeWord("false")
        case 0x6E: takeWord("null")
        default: number() != nil
        }
    }

    /// The number at hand.
    public mutating func number() -> RawSlice? {
        let start = position
        if byte == Ascii.minus { position += 1 }
        if byte == Ascii.zero {
            position += 1  // a zero that leads stands alone
        } else if !skipDigits() {
            return nil
        }
        if byte == Ascii.dot {
            position += 1
            guard skipDigits() else { return nil }
        }
        var isLong = position - start > 300
        if byte | 0x20 == Ascii.e {
            isLong = true
            position += 1
            if byte == Ascii.plus || byte == Ascii.minus { position += 1 }
            guard skipDigits() else { return nil }
        }
        let slice = RawSlice(start: start, count: position - start)
        if isLong, Double(slice.string(in: bytes))?.isFinite != true { sawHugeNumber = true }
        return slice
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while Ascii.isDigit(byte) { position += 1 }
        return position > start
    }
}
