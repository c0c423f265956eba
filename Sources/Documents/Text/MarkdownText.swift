/// `text/markdown`: CommonMark's block structure and GitHub's tables, line by line; inline markup is stripped, links keep their
/// text.
///
/// A list is one block; so are a table (with ` | ` between its cells) and a code block, whose lines stay as they are. Of the front matter only the
/// `title` is used.
struct MarkdownText {
    private var builder: DocumentBuilder
    private var mode = Mode.prose
    /// The block so far. Its last line begins at `lastLine`.
    private var buffer: [UInt8] = []
    private var lastLine = 0
    private var isAfterBlank = false

    private enum Mode: Equatable {
        case prose, list, table, indentedCode
        case fence(MarkdownFence)
    }

    static func read(_ text: [UInt8], mostBytes: Int) throws(ExtractionError) -> DocumentText {
        var reader = MarkdownText(mostBytes: mostBytes)
        let body = reader.frontMatter(text)
        try text[body...].forEachLine { line throws(ExtractionError) in try reader.read(MarkdownLine(line)) }
        try reader.endBlock()
        return reader.builder.finish()
    }

    private init(mostBytes: Int) {
        builder = DocumentBuilder(mostBytes: mostBytes)
    }

    /// Where the text begins behind the front matter.
    private mutating func frontMatter(_ text: [UInt8]) -> Int {
        var title: String?
        var end: Int?
        var isFirst = true
        text[...].forEachLine { line in
            let content = line.trimmedBlanks()
            defer { isFirst = false }
            if isFirst {
                end = content.elementsEqual("---".utf8) ? nil : 0
            } else if end == nil, content.elementsEqual("---".utf8) || content.elementsEqual("...".utf8) {
                end = min(line.endIndex + 1, text.count)
            } else if end == nil, title == nil, line.starts(with: "title:".utf8) {
                let value = content.dropFirst(6).trimmedBlanks()
                title = String(decoding: value, as: UTF8.self).trimmingQuotes()
            }
        }
        guard let end, end > 0 else { return 0 }
        if let title, !title.isEmpty { builder.title = title }
        return end
    }

    private mutating func read(_ line: MarkdownLine) throws(ExtractionError) {
        if case .fence(let fence) = mode {
            if line.closes(fence) { return try endBlock() }
            return appendVerbatim(line.dropping(columns: fence.indentation))
        }
        if line.isBlank { return try blank(line) }
        defer { isAfterBlank = false }
        if mode == .indentedCode {
            if line.indentation >= 4 { return appendVerbatim(line.dropping(columns: 4)) }
            try endBlock()
        }
        if mode == .list, isAfterBlank, line.indentation < 2, line.listMarker == nil { try endBlock() }
        if line.indentation < 4 || mode == .list, let fence = line.openedFence {
            try endBlock()
            mode = .fence(fence)
        } else if line.indentation >= 4, mode == .prose, buffer.isEmpty {
            mode = .indentedCode
            appendVerbatim(line.dropping(columns: 4))
        } else if line.indentation >= 4 {
            appendText(line)
        } else {
            try readStructure(line)
        }
    }

    private mutating func readStructure(_ line: MarkdownLine) throws(ExtractionError) {
        if let heading = line.heading {
            try endBlock()
            try builder.heading(level: heading.level, MarkdownInline.strip(heading.text)[...])
        } else if let level = line.underlineLevel, mode == .prose, !buffer.isEmpty {
            let text = MarkdownInline.strip(buffer[...])
            clear()
            try builder.heading(level: level, text[...])
        } else if line.isThematicBreak {
            try endBlock()
        } else if line.isTableDelimiter, mode == .prose, buffer[lastLine...].contains(UInt8(ascii: "|")) {
            try startTable()
        } else if mode == .prose, buffer.isEmpty, line.isLinkDefinition {
            return
        } else {
            appendText(line)
        }
    }

    private mutating func appendText(_ line: MarkdownLine) {
        if mode == .table {
            return appendLine(line.tableRow)
        }
        if let marker = line.listMarker, mode == .list || buffer.isEmpty || marker.mayInterrupt {
            // A list right under a paragraph stays with it: the paragraph is what the list is about.
            mode = .list
            return appendLine(marker.text)
        }
        let text = line.unquoted
        if buffer.isEmpty || endsWithHardBreak() {
            appendLine(text[...])
        } else {
            buffer.append(UInt8(ascii: " "))
            lastLine = buffer.count
            buffer += text
        }
    }

    /// Two spaces or a backslash at the end of a line (CommonMark 0.31, section 6.7); takes them away.
    private mutating func endsWithHardBreak() -> Bool {
        if buffer.last == UInt8(ascii: "\\") {
            buffer.removeLast()
            return true
        }
        guard buffer.last == UInt8(ascii: " ") else { return false }
        while buffer.last == UInt8(ascii: " ") { buffer.removeLast() }
        return true
    }

    private mutating func appendLine(_ text: ArraySlice<UInt8>) {
        if !buffer.isEmpty { buffer.append(UInt8(ascii: "\n")) }
        lastLine = buffer.count
        buffer += text
    }

    private mutating func appendVerbatim(_ text: ArraySlice<UInt8>) {
        buffer += text
        buffer.append(UInt8(ascii: "\n"))
    }

    private mutating func startTable() throws(ExtractionError) {
        // Copied before the line goes: a slice that still held the buffer would have the whole of it made anew.
        let header = MarkdownLine(buffer[lastLine...]).tableRow
        buffer.removeSubrange(lastLine...)
        try endBlock()
        mode = .table
        appendLine(header)
    }

    private mutating func blank(_ line: MarkdownLine) throws(ExtractionError) {
        switch mode {
        case .prose, .table: try endBlock()
        case .indentedCode: appendVerbatim([])
        case .list, .fence: isAfterBlank = true
        }
    }

    private mutating func endBlock() throws(ExtractionError) {
        switch mode {
        case .prose, .list, .table: try builder.block(MarkdownInline.strip(buffer[...])[...])
        case .indentedCode, .fence: try builder.block(buffer[...], verbatim: true)
        }
        clear()
    }

    private mutating func clear() {
        buffer.removeAll(keepingCapacity: true)
        lastLine = 0
        isAfterBlank = false
        mode = .prose
    }
}

extension String {
    fileprivate func trimmingQuotes() -> String {
        guard count >= 2, let quote = first, quote == "\"" || quote == "'", last == quote else { return self }
        return String(dropFirst().dropLast())
    }
}
