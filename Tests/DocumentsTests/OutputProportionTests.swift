import Contract
import Documents
import Testing

/// What comes out of a document is in proportion to what goes in, however it is built.
@Suite struct OutputProportionTests {
    static let bytes = 20_000

    private static func filled(_ text: String, to bytes: Int = bytes) -> String {
        String(repeating: text, count: bytes / text.utf8.count)
    }

    static let documents: [(name: String, format: DocumentFormat, text: String)] = [
        ("quotes", .markdown, filled("> a\n")), ("cells", .markdown, "a|b\n-|-\n" + filled("|")),
        ("tables", .markdown, filled("a|b\n-|-\n")), ("backticks", .markdown, filled("`a ``b ")),
        ("brackets", .markdown, filled("[", to: bytes / 2) + filled("](", to: bytes / 2)),
        ("headings", .markdown, filled("# a\n")),
        ("hard breaks", .markdown, filled("a  \n")), ("lists", .markdown, filled("\t\t\t\t- a\n")),
        ("less-than signs", .html, filled("<")), ("ampersands", .html, filled("&")), ("list items", .html, filled("<ul><li>a")),
        ("paragraphs", .html, filled("<p>a")), ("cells", .html, "<table><tr>" + filled("<td>") + "x"),
        ("open elements", .html, filled("<div>", to: bytes / 2) + filled("<h1>a", to: bytes / 2)),
        ("rows of one field", .csv, filled("1\n")),
        ("rows of many", .csv, filled("a,", to: bytes / 2) + "\n" + filled("1,", to: bytes / 2)),
        ("records", .json, "[" + filled("[1],") + "1]"), ("escapes", .json, "\"" + filled("\\u0041") + "\""),
        ("blocks of a letter", .plain, filled("a\n\n")), ("blocks of no-break spaces", .plain, filled("\u{A0}\n\n")),
        ("no-break spaces", .plain, filled("\u{A0}")), ("deletes", .plain, filled("\u{7F}\n\n") + "a"),
        ("blanks", .plain, filled("a" + String(repeating: " ", count: 64))), ("marks", .plain, filled("\u{301}")),
        ("stops", .plain, filled(". a")), ("one word", .plain, filled("a")), ("flags", .plain, filled("🇩🇪")),
    ]

    @Test(arguments: documents.indices)
    func `Text is at most four times a document of these, its chunks four times its text, and no chunk is long`(_ index: Int)
        throws
    {
        let (name, format, source) = Self.documents[index]
        let text = try TextExtractor.extract(Array(source.utf8), as: format)
        #expect(text.byteCount <= 4 * source.utf8.count, "\(name)")
        let chunks = Chunker().chunks(of: text)
        let bytes = chunks.reduce(0) { $0 + $1.content.utf8.count + $1.heading.utf8.count }
        #expect(bytes <= 4 * text.byteCount + 2_000, "\(name): \(bytes)")
        #expect(chunks.allSatisfy { $0.content.utf8.count <= 70 * 512 && $0.tokenCount > 0 }, "\(name)")
    }

    @Test(arguments: DocumentFormat.allCases)
    func `Reading stops where the text would be more than is taken`(_ format: DocumentFormat) throws {
        let words = String(repeating: "word ", count: 400)
        let source =
            switch format {
            case .json: "[\"\(words)\"]"
            case .csv: "name\n\(words)\n"
            default: words
            }
        #expect(try TextExtractor.extract(Array(source.utf8), as: format, mostTextBytes: 2_010).byteCount >= 1_999)
        let error = #expect(throws: ExtractionError.self) {
            try TextExtractor.extract(Array(source.utf8), as: format, mostTextBytes: 1_900)
        }
        #expect(error?.isTooLarge == true)
    }

    @Test func `A block without an end is cut behind a line, a sentence or a word, and nothing of it is lost`() throws {
        for unit in ["A line of words\n", "One sentence. ", "word ", "漢", "😀"] {
            let source = String(repeating: unit, count: 700_000 / unit.utf8.count)
            let blocks = try TextExtractor.extract(Array(source.utf8), as: .plain).blocks
            #expect(blocks.count > 2 && blocks.allSatisfy { $0.text.utf8.count <= 256 << 10 })
            let kept = blocks.map { $0.text.filter { !$0.isWhitespace } }.joined()
            #expect(kept == source.filter { !$0.isWhitespace })
            let whole = unit.filter { !$0.isWhitespace }
            #expect(blocks.allSatisfy { $0.text.filter { !$0.isWhitespace }.hasSuffix(whole) }, "\(unit)")
        }
    }
}
