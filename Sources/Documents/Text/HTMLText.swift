/// `text/html`: what a reader sees, as blocks under the headings.
///
/// Scripts, styles, templates and navigation are left out. A list is one block of lines; so is a table, with ` | ` between its cells. `pre` keeps
/// its blanks. Soft hyphens are removed, no-break spaces become spaces.
final class HTMLText: HTMLEvents {
    private var builder: DocumentBuilder
    private var error: ExtractionError?
    private var buffer: [UInt8] = []
    private var owed = Separator.none
    private var owedCells = 0
    private var isFirstCell = true
    private var groupDepth = 0
    private var preDepth = 0
    private var skipDepth = 0
    private var headingLevel: Int?
    private var isInTitle = false

    private static let maximumTitleBytes = 500

    /// What has to stand between the text so far and the next, once there is some.
    private enum Separator: Int { case none, space, line, item }

    static func read(_ text: [UInt8], mostBytes: Int) throws(ExtractionError) -> DocumentText {
        let reader = HTMLText(mostBytes: mostBytes)
        if !text.isEmpty { try HTMLParser.parse(text, reader) }
        reader.endBlock()
        if let error = reader.error { throw error }
        return reader.builder.finish()
    }

    private init(mostBytes: Int) {
        builder = DocumentBuilder(mostBytes: mostBytes)
    }

    var isFinished: Bool { error != nil }

    func start(_ element: String) {
        let role = HTMLRole.of(element)
        if skipDepth > 0 || role == .skipped {
            skipDepth += 1
            return
        }
        switch role {
        case .title: startTitle()
        case .heading(let level): startHeading(level)
        case .group, .pre: startGroup(role)
        case .row: startRow()
        case .cell:
            if !isFirstCell { owedCells += 1 }
            isFirstCell = false
        case .item: startItem()
        case .block: breakBlock()
        case .lineBreak: owe(.line)
        case .inline, .skipped: break
        }
    }

    func end(_ element: String) {
        if skipDepth > 0 {
            skipDepth -= 1
            return
        }
        switch HTMLRole.of(element) {
        case .title: endTitle()
        case .heading: endHeading()
        case .group:
            groupDepth = max(0, groupDepth - 1)
            breakBlock()
        case .pre:
            preDepth = max(0, preDepth - 1)
            if preDepth == 0 { endBlock(verbatim: true) }
        case .block, .item, .row: breakBlock()
        case .cell, .inline, .lineBreak, .skipped: break
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        if skipDepth > 0 { return }
        if preDepth > 0 {
            settle()
            for byte in bytes where byte != 0x7F { buffer.append(byte == 0x0D ? UInt8(ascii: "\n") : byte) }
            return
        }
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            // Control characters that stand in the document as themselves are gone by now; these two may come as references.
            if byte.isBlank || byte == 0x0D {
                owe(.space)
            } else if byte == 0x7F {
                continue
            } else if byte == 0xC2, position < bytes.count, bytes[position] == 0xA0 || bytes[position] == 0xAD {
                if bytes[position] == 0xA0 { owe(.space) }
                position += 1
            } else {
                settle()
                buffer.append(byte)
            }
        }
    }

    private func owe(_ separator: Separator) {
        if preDepth > 0, separator == .line {
            buffer.append(UInt8(ascii: "\n"))
        } else if separator.rawValue > owed.rawValue {
            owed = separator
        }
    }

    /// Writes the separator that is due. A block inside a cell does not end the row, so cell separators come before line breaks.
    private func settle() {
        if owed == .none, owedCells == 0 { return }
        let isAtLineStart = buffer.isEmpty || buffer.last == UInt8(ascii: "\n")
        if owedCells > 0 {
            buffer += (isAtLineStart ? "|" : " |").utf8
            for _ in 1..<owedCells { buffer += " |".utf8 }
            buffer.append(UInt8(ascii: " "))
        } else if !isAtLineStart {
            buffer.append(owed == .space ? UInt8(ascii: " ") : UInt8(ascii: "\n"))
        }
        if owed == .item { buffer += "- ".utf8 }
        owed = .none
        owedCells = 0
    }

    /// Ends the block, or only the line inside a list or a table.
    private func breakBlock() {
        if headingLevel != nil || preDepth > 0 {
            owe(.space)
        } else if groupDepth > 0 {
            owe(.line)
        } else {
            endBlock()
        }
    }

    private func endBlock(verbatim: Bool = false) {
        attempt { () throws(ExtractionError) in try builder.block(buffer[...], verbatim: verbatim) }
        clear()
    }

    private func clear() {
        buffer.removeAll(keepingCapacity: true)
        owed = .none
        owedCells = 0
    }

    private func startItem() {
        breakBlock()
        if headingLevel == nil, preDepth == 0, groupDepth > 0 { owe(.item) }
    }

    /// The line of a row begins at once, so that a separator of its cells does not replace the line break.
    private func startRow() {
        breakBlock()
        if owed == .line, !buffer.isEmpty, buffer.last != UInt8(ascii: "\n") { buffer.append(UInt8(ascii: "\n")) }
        if owed == .line { owed = .none }
        owedCells = 0
        isFirstCell = true
    }

    private func startGroup(_ role: HTMLRole) {
        if role == .pre {
            if preDepth == 0 { endBlock() }
            preDepth += 1
        } else {
            breakBlock()
            groupDepth += 1
        }
    }

    private func startHeading(_ level: Int) {
        if headingLevel != nil { endHeading() } else { endBlock(verbatim: preDepth > 0) }
        headingLevel = level
    }

    private func endHeading() {
        guard let level = headingLevel else { return }
        headingLevel = nil
        attempt { () throws(ExtractionError) in try builder.heading(level: level, buffer[...]) }
        clear()
    }

    private func startTitle() {
        isInTitle = builder.title == nil
        endBlock()
    }

    private func endTitle() {
        let title = buffer[...].collapsedBlanks()
        if isInTitle, !title.isEmpty {
            let isWhole = title.count <= Self.maximumTitleBytes
            builder.title = isWhole ? String(decoding: title, as: UTF8.self) : title.shortened(toBytes: Self.maximumTitleBytes)
            // A title without an end tag holds the whole document.
            if !isWhole { endBlock() }
        }
        isInTitle = false
        clear()
    }

    private func attempt(_ body: () throws(ExtractionError) -> Void) {
        do { try body() } catch { self.error = self.error ?? error }
    }
}

/// What an element is for the text inside it.
enum HTMLRole: Equatable {
    case inline, block, lineBreak
    case heading(Int)
    case title, pre, skipped
    /// A list or a table: one block, however many lines it has.
    case group
    case item, row, cell

    static func of(_ element: String) -> HTMLRole { roles[element] ?? .inline }

    private static let roles: [String: HTMLRole] = {
        var roles: [String: HTMLRole] = [
            "br": .lineBreak, "title": .title, "pre": .pre, "li": .item, "tr": .row, "td": .cell, "th": .cell,
        ]
        for level in 1...6 { roles["h\(level)"] = .heading(level) }
        for name in ["script", "style", "noscript", "template", "nav", "svg", "iframe"] { roles[name] = .skipped }
        for name in ["ul", "ol", "dl", "table"] { roles[name] = .group }
        for name in [
            "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dt", "fieldset",
            "figcaption",
            "figure", "footer", "form", "head", "header", "hr", "html", "legend", "main", "option", "p", "section", "summary",
            "tbody",
            "tfoot", "thead",
        ] {
            roles[name] = .block
        }
        return roles
    }()
}
