internal import Contract

/// The formats of documents that the corpus takes.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    case plain = "text/plain"
    case markdown = "text/markdown"
    case html = "text/html"
    case json = "application/json"
    case csv = "text/csv"

    /// The format of a media type such as `text/html` or `Text/Markdown; charset=UTF-8`; nil for one that is not taken.
    ///
    /// Case and parameters do not matter: every document is UTF-8 (RFC 9110, section 8.3.1).
    public init?(mediaType: String) { self.init(rawValue: MediaType.essence(of: mediaType)) }
}

/// Turns a document's bytes into blocks of text under headings.
public enum TextExtractor {
    /// The text of a document, in time and memory linear in its size.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8, with or without a byte order mark.
    ///   - mostTextBytes: reading stops where the text would be more; by default what a document by itself may yield (`Bounds`).
    /// - Throws: `ExtractionError` for bytes that are not UTF-8, malformed JSON, documents that were built to be expensive, and more text than is taken.
    /// - Returns: blocks in document order; none for an empty document. Control characters other than tab and line feed are gone.
    public static func extract(
        _ bytes: [UInt8], as format: DocumentFormat, mostTextBytes: Int? = nil
    ) throws(ExtractionError) -> DocumentText {
        try checkEncoding(bytes)
        let most = min(mostTextBytes ?? Bounds.textBytes(ofSource: bytes.count), Bounds.mostTextBytes)
        switch format {
        case .plain: return try PlainText.read(cleaned(bytes), mostBytes: most)
        case .markdown: return try MarkdownText.read(cleaned(bytes), mostBytes: most)
        case .html: return try HTMLText.read(cleaned(bytes), mostBytes: most)
        case .csv: return try CSVText.read(cleaned(bytes), mostBytes: most)
        case .json: return try JSONDocumentText.read(bytes, mostBytes: most)
        }
    }

    private static func checkEncoding(_ bytes: [UInt8]) throws(ExtractionError) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw ExtractionError("the document is not UTF-8", at: error.byteOffsets.lowerBound)
        }
    }

    /// Line ends become line feeds; the byte order mark and control characters are removed. A form feed separates words, so it ends a line.
    private static func cleaned(_ bytes: [UInt8]) -> [UInt8] {
        let start = bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        return [UInt8](unsafeUninitializedCapacity: bytes.count - start) { buffer, count in
            var previous: UInt8 = 0
            for index in start..<bytes.count {
                let byte = bytes[index]
                defer { previous = byte }
                switch byte {
                case 0x20..<0x7F, 0x80..., 0x09: buffer[count] = byte
                case 0x0A where previous == 0x0D: continue
                case 0x0A...0x0D: buffer[count] = 0x0A
                default: continue
                }
                count += 1
            }
        }
    }

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// `text/plain`: paragraphs with blank lines between them; their line breaks stay.
enum PlainText {
    static func read(_ text: [UInt8], mostBytes: Int) throws(ExtractionError) -> DocumentText {
        var builder = DocumentBuilder(mostBytes: mostBytes)
        var start = 0
        var end = 0
        try text[...].forEachLine { line throws(ExtractionError) in
            if line.contains(where: { !$0.isBlank }) {
                end = line.endIndex
            } else {
                if start < end { try builder.block(text[start..<end], verbatim: true) }
                start = min(line.endIndex + 1, text.count)
            }
        }
        if start < end { try builder.block(text[start..<end], verbatim: true) }
        return builder.finish()
    }
}
