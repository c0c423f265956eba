/// Fields that may be null, which is as if they were not there. The cursor stands on the value.
extension JSONCursor {
    @inline(__always)
    mutating func optionalText(_ field: inout TextSlice?) -> Bool {
        if byte == 0x6E { return takeWord("null") }
        guard let text = text() else { return false }
        field = text
        return true
    }

    mutating func optionalObject(_ field: inout RawSlice?, depth: Int) -> Bool {
        if byte == 0x6E { return takeWord("null") }
        let start = position
        let sawHugeNumberBefore = sawHugeNumber
        sawHugeNumber = false
        defer { sawHugeNumber = sawHugeNumberBefore }
        guard byte == Ascii.openBrace, skipValue(depth: depth), !sawHugeNumber else { return false }
        field = RawSlice(start: start, count: position - start)
        return true
    }

    /// An integer of 0 or more that a 64-bit integer holds.
    mutating func optionalCount(_ field: inout Int64?) -> Bool {
        if byte == 0x6E { return takeWord("null") }
        guard let number = number(), let value = wholeNumber(number), value >= 0 else { return false }
        field = value
        return true
    }

    /// The number's value where it is whole: 12, but also 12.0 and 1.2e1, which JSON Schema calls integers too.
    func wholeNumber(_ number: RawSlice) -> Int64? {
        // Counted downwards below zero, because the negative range is the larger one.
        var value: Int64 = 0
        let isNegative = bytes[number.start] == Ascii.minus
        for index in (isNegative ? number.start + 1 : number.start)..<number.start + number.count {
            guard Ascii.isDigit(bytes[index]) else { return Int64(exactly: Double(number.string(in: bytes)) ?? .nan) }
            let digit = Int64(bytes[index] &- Ascii.zero)
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, overflow2) = tens.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || overflow2 { return nil }
            value = next
        }
        return value
    }
}
