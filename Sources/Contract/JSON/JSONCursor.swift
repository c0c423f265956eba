/// Reads JSON (RFC 8259) byte by byte, without decoding it. The body has been seen to be UTF-8.
///
/// The hot reader and ``JSONReader`` both stand on it, so they agree on what JSON is. Nothing throws: a piece that is not there
/// is nil or false, `position` is where reading stopped, and whoever rejects the body finds the words for it.
struct JSONCursor {
    /// Containers within containers, as in a payload (the stack of a value that is passed over is a 64-bit word).
    static let depthLimit = JSONReader.Bounds.payload.depth

    let bytes: UnsafeRawBufferPointer
    var position = 0
    /// A `\u0000` was read, in a name or in a text.
    var sawNUL = false
    /// A number was read that no `Double` holds, such as 1e999.
    var sawHugeNumber = false
    /// Values that have begun: the outermost one, every member of an object and every element of an array.
    var values = 1

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The byte at hand; 0, which JSON has no use for, at the end.
    @inline(__always)
    var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    @inline(__always)
    mutating func skipSpace() {
        while true {
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// Takes this byte if it is the next after white space.
    @inline(__always)
    mutating func take(_ expected: UInt8) -> Bool {
        skipSpace()
        guard byte == expected else { return false }
        position += 1
        return true
    }

    @inline(__always)
    mutating func takeWord(_ word: StaticString) -> Bool {
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
        guard let name = text(), take(Ascii.colon) else { return nil }
        values += 1
        return name
    }

    /// The text that begins at the quote at hand.
    @inline(__always)
    mutating func text() -> TextSlice? {
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
                return nil  // a control character, or the end
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
        guard position + 1 < bytes.count else { return false }
        switch bytes[position + 1] {
        case Ascii.quote, Ascii.backslash, Ascii.slash, 0x62, 0x66, 0x6E, 0x72, 0x74:
            position += 2
            return true
        case Ascii.u:
            guard position + 6 <= bytes.count, let unit = Ascii.hexadecimal4(bytes, position + 2) else { return false }
            if unit == 0 { sawNUL = true }
            if unit & 0xF800 == 0xD800 {
                guard unit < 0xDC00, position + 12 <= bytes.count, bytes[position + 6] == Ascii.backslash,
                    bytes[position + 7] == Ascii.u, let low = Ascii.hexadecimal4(bytes, position + 8), low & 0xFC00 == 0xDC00
                else { return false }
                position += 6
            }
            position += 6
            return true
        default:
            return false
        }
    }
}
