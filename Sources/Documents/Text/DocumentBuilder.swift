/// Collects blocks under their headings.
///
/// No text is lost: a heading with nothing beneath it becomes a block of its own, and so does one too long to be a heading.
/// The text's size is bounded, because some formats repeat labels (column names, keys, headings) for each value.
struct DocumentBuilder {
    static let maximumTextBytes = 128 << 20
    static let maximumHeadingBytes = 120
    static let maximumBlankRun = 64

    var title: String?
    private var blocks: [TextBlock] = []
    private var levels: [Int] = []
    private var path: [String] = []
    private var pathBytes = 0
    private var textBytes = 0
    private var isHeadingOwed = false

    /// Opens the section of a heading; level 1 is the outermost.
    mutating func heading(level: Int, _ bytes: ArraySlice<UInt8>) throws(ExtractionError) {
        let line = bytes.collapsedBlanks()
        guard !line.isEmpty else { return }
        if isHeadingOwed, let last = levels.last, level <= last { try settleHeading() }
        closeHeadings(from: level)
        let isWhole = line.count <= Self.maximumHeadingBytes
        let text = isWhole ? String(decoding: line, as: UTF8.self) : line.shortened(toBytes: Self.maximumHeadingBytes)
        levels.append(level)
        path.append(text)
        pathBytes += text.utf8.count
        try account(pathBytes)
        isHeadingOwed = true
        if level == 1, title == nil { title = text }
        if !isWhole { try block(line[...]) }
    }

    /// Ends every section: what follows has no heading.
    mutating func leaveHeadings() throws(ExtractionError) {
        if isHeadingOwed { try settleHeading() }
        closeHeadings(from: 0)
    }

    /// Adds a block under the current headings, without the blanks around it; `verbatim` keeps the first line's indentation.
    mutating func block(_ bytes: ArraySlice<UInt8>, verbatim: Bool = false) throws(ExtractionError) {
        let trimmed = verbatim ? bytes.trimmedBlankLines() : bytes.trimmedBlanks()
        guard !trimmed.isEmpty else { return }
        try account(trimmed.count)
        isHeadingOwed = false
        let text =
            trimmed.longestBlankRun() > Self.maximumBlankRun
            ? String(decoding: trimmed.limitingBlankRuns(to: Self.maximumBlankRun), as: UTF8.self)
            : String(decoding: trimmed, as: UTF8.self)
        blocks.append(TextBlock(headingPath: path, text: text))
    }

    mutating func finish() throws(ExtractionError) -> DocumentText {
        if isHeadingOwed { try settleHeading() }
        return DocumentText(title: title, blocks: blocks)
    }

    private mutating func settleHeading() throws(ExtractionError) {
        guard let text = path.last else { return }
        isHeadingOwed = false
        try account(text.utf8.count)
        blocks.append(TextBlock(headingPath: path, text: text))
    }

    private mutating func closeHeadings(from level: Int) {
        while let last = levels.last, last >= level {
            levels.removeLast()
            pathBytes -= path.removeLast().utf8.count
        }
        isHeadingOwed = false
    }

    private mutating func account(_ bytes: Int) throws(ExtractionError) {
        textBytes += bytes
        guard textBytes <= Self.maximumTextBytes else {
            throw ExtractionError("the document's text, with its repeated labels, is larger than \(Self.maximumTextBytes) bytes")
        }
    }
}
