/// Reduces an HTML document to what its text depends on: bare tags of elements with a role, known entities, text.
///
/// Attributes, comments, declarations, scripts, styles and inline tags are dropped before libxml2 reads the document, by the
/// rules of the HTML standard's tokenizer (<https://html.spec.whatwg.org/multipage/parsing.html#tokenization>). So no declaration
/// can define an entity, and libxml2 sees few different names: its dictionary, and its search for repeated attributes, are
/// quadratic in their number.
struct HTMLMarkup {
    private let text: [UInt8]
    private var position = 0
    private var output: [UInt8] = []
    /// Quotation marks that do not occur again: a value that opens with such a mark has no end, and is read as unquoted.
    private var missingQuotes: Set<UInt8> = []

    /// Longer than any name of HTML.
    private static let maximumNameBytes = 64

    static func bare(_ text: [UInt8]) -> [UInt8] {
        var markup = HTMLMarkup(text: text)
        markup.output.reserveCapacity(text.count)
        markup.run()
        return markup.output
    }

    private init(text: [UInt8]) { self.text = text }

    private mutating func run() {
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "&") {
                entity()
                continue
            }
            if byte != UInt8(ascii: "<") {
                output.append(byte)
                position += 1
                continue
            }
            switch self.byte(at: position + 1) {
            case .some(let next) where next.isLetter:
                tag(nameAt: position + 1, isEnd: false)
            case UInt8(ascii: "/") where self.byte(at: position + 2)?.isLetter == true:
                tag(nameAt: position + 2, isEnd: true)
            case UInt8(ascii: "!") where text[position...].starts(with: "<!--".utf8):
                comment()
            case UInt8(ascii: "!"), UInt8(ascii: "?"), UInt8(ascii: "/"):
                position = (text[position...].firstIndex(of: UInt8(ascii: ">")) ?? text.count - 1) + 1
            default:
                output += "&lt;".utf8
                position += 1
            }
        }
    }

    private func byte(at index: Int) -> UInt8? { index < text.count ? text[index] : nil }

    private mutating func tag(nameAt start: Int, isEnd: Bool) {
        let bytes = text[start...].prefix(Self.maximumNameBytes).prefix { Self.isName($0) }
        let name = String(decoding: bytes, as: UTF8.self).lowercased()
        position = start + bytes.count
        skipAttributes()
        if HTMLRole.of(name) == .inline { return }
        output += (isEnd ? "</" : "<").utf8
        output += name.utf8
        output.append(UInt8(ascii: ">"))
        if !isEnd, name == "script" || name == "style" { skipRawText(of: Array(name.utf8)) }
    }

    /// A character reference that libxml2 knows is left for it to resolve; any other ampersand is text.
    private mutating func entity() {
        let rest = text[(position + 1)...]
        let name = rest.prefix(Self.maximumNameBytes).prefix { $0.isLetter || $0.isDigit }
        let isKnown =
            rest.first == UInt8(ascii: "#")
            ? isNumber(rest.dropFirst()) : !name.isEmpty && HTMLParser.entities.contains(String(decoding: name, as: UTF8.self))
        output += (isKnown ? "&" : "&amp;").utf8
        position += 1
    }

    /// The decimal or hexadecimal number of a character reference.
    private func isNumber(_ rest: ArraySlice<UInt8>) -> Bool {
        guard let first = rest.first, first | 0x20 == UInt8(ascii: "x") else { return rest.first?.isDigit == true }
        return rest.dropFirst().first.map { Character(Unicode.Scalar($0)).isHexDigit } ?? false
    }

    private static func isName(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Moves behind the `>` of the tag. A quotation mark counts only after an equals sign.
    private mutating func skipAttributes() {
        var isValue = false
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte == UInt8(ascii: ">") { return }
            if isValue, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                skipQuoted(byte)
                isValue = false
            } else if byte == UInt8(ascii: "=") {
                isValue = true
            } else if !byte.isBlank {
                isValue = false
            }
        }
    }

    private mutating func skipQuoted(_ quote: UInt8) {
        if missingQuotes.contains(quote) { return }
        if let close = text[position...].firstIndex(of: quote) {
            position = close + 1
        } else {
            missingQuotes.insert(quote)
        }
    }

    /// Moves behind `-->` or `--!>`; `<!-->` and `<!--->` are complete comments. Without an end, a comment is the rest of the document.
    private mutating func comment() {
        position += 2
        while let close = text[position...].firstIndex(of: UInt8(ascii: ">")) {
            let before = text[position..<close].suffix(3)
            position = close + 1
            if before.suffix(2).elementsEqual("--".utf8) || before.elementsEqual("--!".utf8) { return }
        }
        position = text.count
    }

    /// Moves to the end tag, which is read next; without one, to the end of the document.
    private mutating func skipRawText(of element: [UInt8]) {
        while let open = text[position...].firstIndex(of: UInt8(ascii: "<")) {
            position = open + 1
            let rest = text[position...].prefix(element.count + 2)
            guard rest.first == UInt8(ascii: "/"), rest.dropFirst().prefix(element.count).map({ $0 | 0x20 }) == element else {
                continue
            }
            if let after = rest.dropFirst(element.count + 1).first, Self.isName(after) { continue }
            position = open
            return
        }
        position = text.count
    }
}
