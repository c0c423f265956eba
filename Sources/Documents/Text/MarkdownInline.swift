/// Removes inline markup from a block's text: emphasis, code marks, links and images (their text stays), tags, escapes, common
/// entities.
///
/// It works in one pass. The search for the end of a link, tag or code span has a budget in proportion to the text, so that no arrangement of
/// opening marks takes quadratic time; when the budget is used up, marks stay as they are.
struct MarkdownInline {
    private let text: ArraySlice<UInt8>
    private var position: Int
    private var output: [UInt8] = []
    /// Where brackets that may open a link stand in the output.
    private var brackets: [Int] = []
    private var lookahead: Int

    /// Stands for a byte of the output that turned out to be markup; an extracted text has no NUL of its own.
    private static let removed: UInt8 = 0

    static func strip(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var stripper = MarkdownInline(text)
        stripper.run()
        return stripper.output.filter { $0 != removed }
    }

    private init(_ text: ArraySlice<UInt8>) {
        self.text = text
        position = text.startIndex
        lookahead = 8 * text.count + 1024
        output.reserveCapacity(text.count)
    }

    private mutating func run() {
        while position < text.endIndex {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "\\"): escape()
            case UInt8(ascii: "`"): code()
            case UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "~"): emphasis(byte)
            case UInt8(ascii: "["):
                brackets.append(output.count)
                copy()
            case UInt8(ascii: "]"): closeBracket()
            case UInt8(ascii: "<"): tag()
            case UInt8(ascii: "&"): entity()
            default: copy()
            }
        }
    }

    private mutating func copy() {
        output.append(text[position])
        position += 1
    }

    private func byte(at index: Int) -> UInt8? { text.indices.contains(index) ? text[index] : nil }

    private mutating func escape() {
        if let next = byte(at: position + 1), next > 0x20, next < 0x7F, !next.isLetter, !next.isDigit { position += 1 }
        copy()
    }

    /// The first place from `start` on where `isEnd` holds, within the budget.
    private mutating func find(from start: Int, _ isEnd: (UInt8) -> Bool) -> Int? {
        var index = start
        while index < text.endIndex, lookahead > 0 {
            if isEnd(text[index]) { return index }
            index += 1
            lookahead -= 1
        }
        return nil
    }

    private func run(of byte: UInt8, at start: Int) -> Int { text[start...].prefix { $0 == byte }.count }

    private mutating func code() {
        let length = run(of: UInt8(ascii: "`"), at: position)
        let start = position + length
        var search = start
        while let close = find(from: search, { $0 == UInt8(ascii: "`") }) {
            let closing = run(of: UInt8(ascii: "`"), at: close)
            lookahead -= closing
            if closing == length {
                output += text[start..<close].trimmedBlanks()
                position = close + length
                return
            }
            search = close + closing
        }
        output += text[position..<start]
        position = start
    }

    /// Emphasis stands directly before or after a word. Marks between blanks are text; so are underscores inside words and asterisks between
    /// digits.
    private mutating func emphasis(_ mark: UInt8) {
        let length = run(of: mark, at: position)
        let before = position > text.startIndex ? text[position - 1] : UInt8(ascii: " ")
        let after = byte(at: position + length) ?? UInt8(ascii: " ")
        let standsAlone = before.isBlank && after.isBlank
        let isInside =
            switch mark {
            case UInt8(ascii: "_"): isWord(before) && isWord(after)
            case UInt8(ascii: "*"): before.isDigit && after.isDigit
            default: length != 2
            }
        if standsAlone || isInside { output += text[position..<(position + length)] }
        position += length
    }

    private func isWord(_ byte: UInt8) -> Bool { byte.isLetter || byte.isDigit || byte >= 0x80 }

    /// `](target "title")` and `][label]` end a link; so the bracket that opened it goes, and an image's exclamation mark.
    private mutating func closeBracket() {
        let open = brackets.popLast()
        let next = byte(at: position + 1)
        guard let open, next == UInt8(ascii: "(") || next == UInt8(ascii: "["),
            let end = targetEnd(next == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "]"))
        else {
            return copy()
        }
        output[open] = Self.removed
        if open > 0, output[open - 1] == UInt8(ascii: "!") { output[open - 1] = Self.removed }
        position = end + 1
    }

    private mutating func targetEnd(_ close: UInt8) -> Int? {
        let opening = text[position + 1]
        var depth = 0
        return find(from: position + 1) { byte in
            if byte == opening { depth += 1 }
            if byte == close { depth -= 1 }
            return depth == 0
        }
    }

    /// An autolink keeps its address, `<br>` becomes a line break, every other tag is removed. `a < b` is not a tag.
    private mutating func tag() {
        guard let next = byte(at: position + 1), next.isLetter || next == UInt8(ascii: "/") || next == UInt8(ascii: "!"),
            let end = find(from: position + 1, { $0 == UInt8(ascii: ">") })
        else { return copy() }
        let inside = text[(position + 1)..<end]
        if inside.contains(UInt8(ascii: "@")) && !inside.contains(where: \.isBlank)
            || inside.prefix(12).contains(UInt8(ascii: ":"))
        {
            output += inside
        } else if inside.starts(with: "br".utf8) {
            output.append(UInt8(ascii: "\n"))
        }
        position = end + 1
    }

    private mutating func entity() {
        for (name, character) in Self.entities where text[position...].starts(with: name.utf8) {
            output += character.utf8
            position += name.utf8.count
            return
        }
        copy()
    }

    private static let entities = [
        ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&nbsp;", " "),
    ]
}
