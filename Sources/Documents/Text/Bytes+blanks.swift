/// UTF-8 code units as the scanners name them.
extension UInt8 {
    /// Space, tab or line feed; carriage returns are removed before any scanner runs.
    @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x0A || self == 0x09 }
    @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }
    @inline(__always) var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    @inline(__always) var isLowercase: Bool { self &- 0x61 < 26 }
    @inline(__always) var isContinuation: Bool { self & 0xC0 == 0x80 }
}

// Slices are made smaller by their bounds: taking bytes away from one whose bytes are another's too, as `removeLast` does, copies what is left.
extension ArraySlice<UInt8> {
    func trimmedBlanks() -> Self {
        var start = startIndex
        while start < endIndex, self[start].isBlank { start += 1 }
        return self[start...].withoutLast { $0.isBlank }
    }

    /// Without the bytes at the end for which this holds.
    func withoutLast(while isUnwanted: (UInt8) -> Bool) -> Self {
        var end = endIndex
        while end > startIndex, isUnwanted(self[end - 1]) { end -= 1 }
        return self[..<end]
    }

    /// Without the blank lines before and the blanks after; the first line keeps its indentation.
    func trimmedBlankLines() -> Self {
        var start = startIndex
        var position = startIndex
        while position < endIndex, self[position].isBlank {
            if self[position] == UInt8(ascii: "\n") { start = position + 1 }
            position += 1
        }
        return self[start...].withoutLast { $0.isBlank }
    }

    /// On one line, with single spaces between the words.
    func collapsedBlanks() -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(count)
        for byte in trimmedBlanks() {
            if !byte.isBlank {
                line.append(byte)
            } else if line.last != UInt8(ascii: " ") {
                line.append(UInt8(ascii: " "))
            }
        }
        return line
    }

    func longestBlankRun() -> Int {
        var longest = 0
        var run = 0
        for byte in self {
            run = byte.isBlank ? run + 1 : 0
            longest = Swift.max(longest, run)
        }
        return longest
    }

    func limitingBlankRuns(to limit: Int) -> [UInt8] {
        var run = 0
        return filter { byte in
            run = byte.isBlank ? run + 1 : 0
            return run <= limit
        }
    }

    /// The lines, without their line feeds.
    func forEachLine<E: Error>(_ body: (ArraySlice<UInt8>) throws(E) -> Void) throws(E) {
        var start = startIndex
        while start < endIndex {
            let end = self[start...].firstIndex(of: UInt8(ascii: "\n")) ?? endIndex
            try body(self[start..<end])
            start = end + 1
        }
    }
}

extension [UInt8] {
    /// The beginning of a text as UTF-8, cut between scalars, an ellipsis after it.
    func shortened(toBytes limit: Int) -> String {
        var end = limit
        while end > 0, self[end].isContinuation { end -= 1 }
        return String(decoding: self[..<end], as: UTF8.self) + "…"
    }
}
