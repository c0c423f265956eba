/// How many tokens a language model would make of a text, as an estimate that needs no model.
///
/// A word costs one token for every five UTF-8 bytes or part of them; a mark, a symbol and a scalar of a script written without spaces
/// (Han, Kana, Hangul, and everything beyond the Basic Multilingual Plane) cost one each; blanks are free, but no-break spaces are signs. English comes to about
/// 1.4 tokens a word, German to about 1.7: a little more than byte-pair vocabularies need, so that chunks stay below the limits of models.
/// The estimate of a whole is never more than the sum of its parts'.
public enum TokenEstimate {
    public static func count(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { count($0) }
    }

    public static func count(_ text: Substring) -> Int {
        var text = text
        return text.withUTF8 { count($0) }
    }

    /// - Parameter bytes: valid UTF-8.
    public static func count(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var meter = TokenMeter()
        meter.read(bytes, 0..<bytes.count)
        return meter.tokens
    }
}

/// Counts while a text is read piece by piece, each piece of whole scalars.
struct TokenMeter {
    static let bytesPerToken = 5

    private var closed = 0
    private var wordBytes = 0

    var tokens: Int { closed + (wordBytes + Self.bytesPerToken - 1) / Self.bytesPerToken }

    @inline(__always)
    mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = bytes[position]
            switch Self.classes[Int(byte)] {
            case .word:
                wordBytes += 1
                position += 1
            case .blank:
                closeWord()
                position += 1
            case .mark:
                closeWord()
                closed += 1
                position += 1
                while position < range.upperBound, bytes[position].isContinuation { position += 1 }
            }
        }
    }

    @inline(__always)
    private mutating func closeWord() {
        if wordBytes == 0 { return }
        closed += (wordBytes + Self.bytesPerToken - 1) / Self.bytesPerToken
        wordBytes = 0
    }

    private enum Class { case word, blank, mark }

    /// By lead byte. 0xC2 leads the no-break space and the signs of Latin-1, 0xE2 the blocks of punctuation and symbols. Nothing but what the
    /// readers keep few of is free, or a chunk could be of any size.
    private static let classes: [Class] = (0...255).map { value in
        let byte = UInt8(value)
        switch byte {
        case 0...0x20: return .blank
        case _ where byte.isDigit || byte.isLetter || byte == UInt8(ascii: "_"): return .word
        case 0..<0x80: return .mark
        case 0xC2, 0xE2...0xFF: return .mark
        default: return .word
        }
    }
}
