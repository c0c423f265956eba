/// Collects blocks under their headings.
///
/// No text is lost: a heading with nothing beneath it becomes a block of its own, and so does one too long to be a heading.
/// The text's size is bounded, because some formats repeat labels (column names, keys, headings) for each value: what would be over the bound
/// is not collected in the first place.
struct DocumentBuilder {
    static let maximumHeadingBytes = 120
    static let maximumBlankRun = 64
    /// A longer block is cut, so that nobody who works block by block holds much.
    static let maximumBlockBytes = 256 << 10

    var title: String? {
        get { document.title }
        set { document.title = newValue }
    }
    private let mostBytes: Int
    private var document = DocumentText()
    /// The open sections: their levels, and where their headings are among the parts.
    private var sections: [(level: Int, heading: Int)] = []
    private var isHeadingOwed = false

    /// - Parameter mostBytes: of headings and blocks, each once.
    init(mostBytes: Int) {
        self.mostBytes = mostBytes
    }

    /// Opens the section of a heading; level 1 is the outermost.
    mutating func heading(level: Int, _ bytes: ArraySlice<UInt8>) throws(ExtractionError) {
        let line = bytes.collapsedBlanks()
        guard !line.isEmpty else { return }
        if isHeadingOwed, let last = sections.last, level <= last.level { settleHeading() }
        closeSections(from: level)
        let isWhole = line.count <= Self.maximumHeadingBytes
        let text = isWhole ? String(decoding: line, as: UTF8.self) : line.shortened(toBytes: Self.maximumHeadingBytes)
        try require(text.utf8.count)
        document.append(text.utf8, below: sections.last?.heading, isHeading: true)
        sections.append((level, document.parts.count - 1))
        isHeadingOwed = true
        if level == 1, title == nil { title = text }
        if !isWhole { try block(line[...]) }
    }

    /// Ends every section: what follows has no heading.
    mutating func leaveHeadings() {
        if isHeadingOwed { settleHeading() }
        closeSections(from: 0)
    }

    /// Adds a block under the current headings, without the blanks around it; `verbatim` keeps the first line's indentation.
    mutating func block(_ bytes: ArraySlice<UInt8>, verbatim: Bool = false) throws(ExtractionError) {
        let trimmed = verbatim ? bytes.trimmedBlankLines() : bytes.trimmedBlanks()
        guard !trimmed.isEmpty else { return }
        isHeadingOwed = false
        if trimmed.longestBlankRun() > Self.maximumBlankRun {
            try append(trimmed.limitingBlankRuns(to: Self.maximumBlankRun)[...])
        } else {
            try append(trimmed)
        }
    }

    /// - Throws: `ExtractionError` if there is no room for so many bytes beside what was collected.
    func require(_ bytes: Int) throws(ExtractionError) {
        guard bytes <= mostBytes - document.byteCount else {
            throw .tooLarge("its text, with labels that are repeated,", most: mostBytes)
        }
    }

    mutating func finish() -> DocumentText {
        if isHeadingOwed { settleHeading() }
        return document
    }

    private mutating func append(_ text: ArraySlice<UInt8>) throws(ExtractionError) {
        try require(text.count)
        var rest = text
        while rest.count > Self.maximumBlockBytes {
            let cut = Self.cut(rest)
            let piece = rest[..<cut].trimmedBlankLines()
            if !piece.isEmpty { document.append(piece, below: sections.last?.heading) }
            rest = rest[cut...].trimmedBlankLines()
        }
        if !rest.isEmpty { document.append(rest, below: sections.last?.heading) }
    }

    /// Where a block that is too long is cut: behind the last line that fits, else behind the last sentence or word, else between two characters.
    private static func cut(_ text: ArraySlice<UInt8>) -> Int {
        let most = text.startIndex + maximumBlockBytes
        let least = text.startIndex + maximumBlockBytes / 2
        if let line = text[least..<most].lastIndex(of: UInt8(ascii: "\n")) { return line + 1 }
        let sentence = text[least..<most].indices.last { text[$0].isBlank && isSentenceEnd(text[$0 - 1]) }
        if let sentence { return sentence + 1 }
        if let blank = text[least..<most].lastIndex(where: \.isBlank) { return blank + 1 }
        var end = most
        while text[end].isContinuation { end -= 1 }
        return end
    }

    private static func isSentenceEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
    }

    private mutating func settleHeading() {
        isHeadingOwed = false
        guard let heading = sections.last?.heading else { return }
        document.append([], below: heading)
    }

    private mutating func closeSections(from level: Int) {
        while let last = sections.last, last.level >= level { sections.removeLast() }
        isHeadingOwed = false
    }
}
