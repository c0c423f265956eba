/// The fence that opens a code block: three or more of a character; as many close it.
struct MarkdownFence: Equatable {
    let character: UInt8
    let length: Int
    let indentation: Int
}

/// What one line of Markdown may be (CommonMark 0.31, chapters 4 and 5; GitHub Flavored Markdown, section 4.10).
struct MarkdownLine {
    let line: ArraySlice<UInt8>
    /// The line without its indentation and the blanks at its end.
    let content: ArraySlice<UInt8>
    /// In columns; a tab goes to the next multiple of four.
    let indentation: Int

    init(_ line: ArraySlice<UInt8>) {
        self.line = line
        content = line.trimmedBlanks()
        var columns = 0
        for byte in line {
            guard byte.isBlank else { break }
            columns += byte == UInt8(ascii: "\t") ? 4 - columns % 4 : 1
        }
        indentation = columns
    }

    var isBlank: Bool { content.isEmpty }

    func dropping(columns limit: Int) -> ArraySlice<UInt8> {
        var rest = line
        var columns = 0
        while columns < limit, let byte = rest.first, byte.isBlank {
            columns += byte == UInt8(ascii: "\t") ? 4 - columns % 4 : 1
            rest = rest.dropFirst()
        }
        return rest
    }

    var openedFence: MarkdownFence? {
        guard let character = content.first, character == UInt8(ascii: "`") || character == UInt8(ascii: "~") else { return nil }
        let length = content.prefix { $0 == character }.count
        guard length >= 3 else { return nil }
        if character == UInt8(ascii: "`"), content.dropFirst(length).contains(character) { return nil }
        return MarkdownFence(character: character, length: length, indentation: indentation)
    }

    func closes(_ fence: MarkdownFence) -> Bool {
        content.count >= fence.length && content.allSatisfy { $0 == fence.character }
    }

    var heading: (level: Int, text: ArraySlice<UInt8>)? {
        guard content.first == UInt8(ascii: "#") else { return nil }
        let level = content.prefix { $0 == UInt8(ascii: "#") }.count
        var text = content.dropFirst(level)
        guard level <= 6, text.first?.isBlank ?? true else { return nil }
        let closing = text.withoutLast { $0 == UInt8(ascii: "#") }
        if closing.last?.isBlank ?? true { text = closing }
        return (level, text.trimmedBlanks())
    }

    /// Whether the line underlines a heading, and of which level.
    var underlineLevel: Int? {
        guard let first = content.first, first == UInt8(ascii: "=") || first == UInt8(ascii: "-"),
            content.allSatisfy({ $0 == first })
        else { return nil }
        return first == UInt8(ascii: "=") ? 1 : 2
    }

    var isThematicBreak: Bool {
        guard let first = content.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "*") || first == UInt8(ascii: "_")
        else { return false }
        return content.allSatisfy { $0 == first || $0.isBlank } && content.count { $0 == first } >= 3
    }

    var isTableDelimiter: Bool {
        content.contains(UInt8(ascii: "|")) && content.contains(UInt8(ascii: "-"))
            && content.allSatisfy { $0 == UInt8(ascii: "|") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") || $0.isBlank }
    }

    /// The row's cells joined by ` | `.
    var tableRow: ArraySlice<UInt8> {
        var row = content
        if row.first == UInt8(ascii: "|") { row = row.dropFirst() }
        if row.last == UInt8(ascii: "|"), !row.dropLast().hasSuffix(UInt8(ascii: "\\")) { row = row.dropLast() }
        let cells = row.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false).map { $0.trimmedBlanks() }
        return Array(cells.joined(separator: Array(" | ".utf8)))[...]
    }

    struct ListMarker {
        /// The item with its indentation; bullets are hyphens.
        let text: ArraySlice<UInt8>
        /// Whether it begins a list in the middle of a paragraph: a year at the beginning of a line does not.
        let mayInterrupt: Bool
    }

    var listMarker: ListMarker? {
        guard let first = content.first else { return nil }
        var item = [UInt8](repeating: UInt8(ascii: " "), count: min(indentation, 32))
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "*") || first == UInt8(ascii: "+") {
            let text = content.dropFirst()
            guard text.first?.isBlank == true else { return nil }
            item += "- ".utf8
            item += text.trimmedBlanks()
            return ListMarker(text: item[...], mayInterrupt: true)
        }
        let digits = content.prefix { $0.isDigit }
        let rest = content.dropFirst(digits.count)
        guard (1...9).contains(digits.count), rest.first == UInt8(ascii: ".") || rest.first == UInt8(ascii: ")"),
            rest.dropFirst().first?.isBlank == true
        else { return nil }
        item += content
        return ListMarker(text: item[...], mayInterrupt: digits.elementsEqual("1".utf8))
    }

    /// Without indentation and block quote marks. Two blanks at the end stay, because they may be a hard line break.
    var unquoted: ArraySlice<UInt8> {
        var text = line[content.startIndex...]
        while text.first == UInt8(ascii: ">") {
            text = text.dropFirst().drop { $0.isBlank }
        }
        if text.last == UInt8(ascii: " "), !text.dropLast().hasSuffix(UInt8(ascii: " ")) { text = text.dropLast() }
        return text
    }

    /// `[label]: target "title"`; a footnote (`[^1]: …`) is text.
    var isLinkDefinition: Bool {
        guard content.first == UInt8(ascii: "["), !content.dropFirst().starts(with: "^".utf8) else { return false }
        guard let close = content.firstIndex(of: UInt8(ascii: "]")), content[(close + 1)...].first == UInt8(ascii: ":") else {
            return false
        }
        let parts = content[(close + 2)...].trimmedBlanks().split(maxSplits: 1) { $0.isBlank }
        guard let title = parts.dropFirst().first?.first else { return parts.count == 1 }
        return title == UInt8(ascii: "\"") || title == UInt8(ascii: "'") || title == UInt8(ascii: "(")
    }
}

extension ArraySlice<UInt8> {
    fileprivate func hasSuffix(_ byte: UInt8) -> Bool { last == byte }
}
