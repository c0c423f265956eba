/// Reads JSON (RFC 8259) byte by byte, without decoding it. The body has been seen to be UTF-8.
///
/// All that reads JSON stands on it, the hot reader, `JSONReader` and the text of JSON documents, so they agree on what JSON is. Nothing
/// throws: a piece that is not there is nil or false, `position` is where reading stopped, and whoever refuses the bytes finds the words.
public struct JSONCursor {
    public let bytes: UnsafeRawBufferPointer
    public var position = 0
    let budget: JSONBudget
    /// Values that were begun: the outermost, each member's and each element's.
    var values = 1
    /// The bound of the budget that `skipValue` stopped at.
    private(set) var passedBound: JSONBudget.Bound?
    /// A `\u0000` was read, in a name or in a text.
    var sawNUL = false
    /// A number was read that no `Double` holds, such as 1e999.
    var sawHugeNumber = false
    /// Whether half a pair of surrogates is a text too; it then stands for U+FFFD (RFC 8259, section 8.2, leaves it open).
    private let takesLoneSurrogates: Bool

    public init(_ bytes: UnsafeRawBufferPointer, budget: JSONBudget = .stored, takesLoneSurrogates: Bool = false) {
        self.bytes = bytes
        self.budget = budget
        self.takesLoneSurrogates = takesLoneSurrogates
    }

    /// The byte at hand; 0, which JSON has no use for, at the end.
    @inline(__always)
    public var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    @inline(__always)
    public mutating func skipSpace() {
        while true {
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// Takes this byte if it is the next after white space.
    @inline(__always)
    public mutating func take(_ expected: UInt8) -> Bool {
        skipSpace()
        guard byte == expected else { return false }
        position += 1
        return true
    }

    /// Takes these bytes if they are the next.
    @inline(__always)
    public mutating func takeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count,
            word.matches(UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        else { return false }
        position += count
        return true
    }

    /// A member's name and its colon.
    @inline(__always)
    mutating func name() -> TextSlice? {
        skipSpace()
        values += 1
        guard let name = text(), take(Ascii.colon) else { return nil }
        return name
    }

    /// The text that begins at the quote at hand. Where it is none, `position` is just behind what is wrong with it, or at its end.
    @inline(__always)
    public mutating func text() -> TextSlice? {
        guard byte == Ascii.quote else { return nil }
        position += 1
        let start = position
        var isEscaped = false
        while true {
            skipPlainText()
            switch byte {
            case Ascii.quote:
                let slice = TextSlice(start: start, count: position - start, isEscaped: isEscaped)
                position += 1
                return slice
            case Ascii.backslash:
                isEscaped = true
                guard skipEscape() else { return nil }
            default:
                if position < bytes.count { position += 1 }  // a control character
                return nil
            }
        }
    }

    /// On to the next quote, backslash or control character, eight bytes at a time.
    @inline(__always)
    private mutating func skipPlainText() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(Ascii.quote))
            let backslashes = word ^ (ones &* UInt64(Ascii.backslash))
            // The highest bit of each byte that is a quote, a backslash or below 0x20. Borrows only reach bytes above the first
            // true hit, so the lowest bit set is right.
            let hits =
                ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word) & highs
            if hits != 0 {
                position += hits.trailingZeroBitCount >> 3
                return
            }
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Ascii.quote || byte == Ascii.backslash || byte < 0x20 { return }
            position += 1
        }
    }

    /// One escape. Surrogates must come as a pair: alone they stand for no text.
    private mutating func skipEscape() -> Bool {
        guard position + 1 < bytes.count else {
            position = bytes.count
            return false
        }
        position += 2
        switch bytes[position - 1] {
        case Ascii.quote, Ascii.backslash, Ascii.slash, 0x62, 0x66, 0x6E, 0x72, 0x74:
            return true
        case Ascii.u:
            guard let unit = takeHexadecimal4() else { return false }
            if unit == 0 { sawNUL = true }
            if unit & 0xF800 == 0xD800 { return takeLowSurrogate(after: unit) || takesLoneSurrogates }
            return true
        default:
            return false
        }
    }

    private mutating func takeHexadecimal4() -> UInt32? {
        if position + 4 <= bytes.count, let unit = Ascii.hexadecimal4(bytes, position) {
            position += 4
            return unit
        }
        while Ascii.hexadecimal(byte) <= 15 { position += 1 }
        return nil
    }

    private mutating func takeLowSurrogate(after unit: UInt32) -> Bool {
        guard unit < 0xDC00, TextSlice.lowSurrogate(bytes, position) != nil else { return false }
        position += 6
        return true
    }

    /// Notes that a bound was passed, for whoever says so; false.
    mutating func stop(at bound: JSONBudget.Bound) -> Bool {
        passedBound = bound
        return false
    }
}
