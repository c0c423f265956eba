/// Reads JSON (RFC 8259) token by token; the grammar above tokens is `JSONText`'s.
struct JSONScanner {
    let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: TextExtractor.byteOrderMark) ? TextExtractor.byteOrderMark.count : 0
    }

    /// The next byte that is not a blank, without taking it; `nil` at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count, bytes[position].isBlank || bytes[position] == 0x0D { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    mutating func take(_ character: Unicode.Scalar) throws(ExtractionError) {
        guard peek() == UInt8(ascii: character) else { throw fault("‘\(character)’ is missing") }
        position += 1
    }

    mutating func takeIfPresent(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    func fault(_ message: String) -> ExtractionError { ExtractionError("the JSON is malformed: \(message)", at: position) }

    /// A string's text without control characters; line ends as line feeds.
    mutating func string() throws(ExtractionError) -> [UInt8] {
        try take("\"")
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): try appendEscape(to: &text)
            case 0..<0x20: throw fault("a control character stands in a string")
            default: text.append(byte)
            }
        }
        throw fault("a string has no end")
    }

    /// A number, `true`, `false` or `null` as it is written.
    mutating func literal() throws(ExtractionError) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, Self.isLiteral(bytes[position]) { position += 1 }
        let literal = bytes[start..<position]
        guard Self.words.contains(where: literal.elementsEqual) || Self.isNumber(literal) else {
            position = start
            throw fault("a value is expected")
        }
        return literal
    }

    private static let words = ["true", "false", "null"].map { Array($0.utf8) }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLetter || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }

    private static func isNumber(_ literal: ArraySlice<UInt8>) -> Bool {
        var rest = literal
        func digits() -> Int {
            let count = rest.prefix { $0.isDigit }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        if whole == 0 || (startsWithZero && whole > 1) { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            if digits() == 0 { return false }
        }
        if let exponent = rest.first, exponent | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            if digits() == 0 { return false }
        }
        return rest.isEmpty
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(ExtractionError) {
        guard position < bytes.count else { throw fault("a string has no end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "n"), UInt8(ascii: "f"): text.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "r"): if !bytes[position...].starts(with: "\\n".utf8) { text.append(UInt8(ascii: "\n")) }
        case UInt8(ascii: "b"): break
        case UInt8(ascii: "u"): try appendScalar(to: &text)
        default: throw fault("an escape is unknown")
        }
    }

    private mutating func appendScalar(to text: inout [UInt8]) throws(ExtractionError) {
        var value = try hexadecimal()
        if value & 0xFC00 == 0xD800, bytes[position...].starts(with: "\\u".utf8) {
            let second = position
            position += 2
            let low = try hexadecimal()
            if low & 0xFC00 == 0xDC00 { value = 0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF) } else { position = second }
        }
        // A surrogate alone is a fault of the text, not of the JSON: RFC 8259 leaves it open.
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        if scalar == "\r" {
            text.append(UInt8(ascii: "\n"))
        } else if value >= 0x20 || scalar == "\n" || scalar == "\t" {
            text += String(Character(scalar)).utf8
        }
    }

    private mutating func hexadecimal() throws(ExtractionError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw fault("an escape is incomplete")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
