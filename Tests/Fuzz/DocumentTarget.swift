@testable internal import Contract
@testable internal import Documents

extension FuzzTarget {
    /// One target for each format of documents: its text, and the chunks of that.
    static let documents = [
        document("plain", .plain), document("markdown", .markdown), document("html", .html), document("csv", .csv),
        document("jsontext", .json),
    ]

    private static func document(_ name: String, _ format: DocumentFormat) -> FuzzTarget {
        FuzzTarget(name) { input in
            do throws(ExtractionError) {
                let text = try TextExtractor.extract(input, as: format)
                _ = Chunker().chunks(of: text)
                return text.byteCount
            } catch {
                // One that is refused for its size was read up to its bound.
                return error.isTooLarge ? Bounds.textBytes(ofSource: input.count) : 0
            }
        } check: { input in
            do throws(ExtractionError) {
                let text = try TextExtractor.extract(input, as: format)
                checkText(text, of: input)
                checkChunks(text)
                if format == .json { expect(isJSON(input) || isBlank(input), "text of what is no JSON") }
                if format == .plain { checkAgain(text) }
            } catch {
                if let place = error.location { expect((0...input.count).contains(place), "a place outside of the document") }
                if format == .json, error.location != nil {
                    expect(!isJSON(input) || isDeep(input), "no text of what is JSON: \(error)")
                }
            }
        }
    }

    /// The contract's bound: 16 times the document or 1 MiB, whichever is more, and never over 64 MiB.
    private static func checkText(_ text: DocumentText, of input: [UInt8]) {
        let bytes = text.blocks.reduce(0) { $0 + $1.text.utf8.count }
        expect(bytes <= min(max(16 * input.count, 1 << 20), 64 << 20), "\(input.count) bytes became \(bytes) bytes of text")
        for block in text.blocks {
            expect(!block.text.isEmpty, "an empty block")
            for string in block.headingPath + [block.text] {
                expect(!string.utf8.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A }, "a control character")
            }
        }
    }

    private static func checkChunks(_ text: DocumentText) {
        let chunker = Chunker()
        let chunks = chunker.chunks(of: text)
        expect(chunks.isEmpty == text.blocks.isEmpty, "text without chunks, or chunks without text")
        for (position, chunk) in chunks.enumerated() {
            expect(chunk.position == position, "a gap between chunks")
            expect(!chunk.content.isEmpty, "an empty chunk")
            expect(chunk.tokenCount == TokenEstimate.count(chunk.content), "a chunk with another estimate than its content")
            expect(chunk.tokenCount <= chunker.targetTokens, "a chunk of \(chunk.tokenCount) tokens")
            expect(chunk.content.utf8.count <= 64 << 10, "a chunk of \(chunk.content.utf8.count) bytes")
        }
        _ = SearchLanguage.detect(chunks.prefix(8).map(\.content).joined(separator: " "))
    }

    /// Paragraphs with blank lines between them are the same paragraphs; but a mark that was not the first is, once what stood before it is gone.
    private static func checkAgain(_ text: DocumentText) {
        let written = text.blocks.map(\.text).joined(separator: "\n\n")
        if written.unicodeScalars.first == "\u{FEFF}" { return }
        guard let again = try? TextExtractor.extract(Array(written.utf8), as: .plain) else {
            fatalError("text is not taken as text")
        }
        expect(again.blocks == text.blocks, "text is read as another text")
    }

    private static func isJSON(_ input: [UInt8]) -> Bool {
        let isMarked = input.starts(with: [0xEF, 0xBB, 0xBF])
        return input.dropFirst(isMarked ? 3 : 0).withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes, takesLoneSurrogates: true)
            guard UTF8Validity.holds(bytes), cursor.skipValue(depth: 0) else { return false }
            cursor.skipSpace()
            return cursor.position == bytes.count
        }
    }

    private static func isDeep(_ input: [UInt8]) -> Bool { input.count { $0 == 0x5B || $0 == 0x7B } > 64 }

    private static func isBlank(_ input: [UInt8]) -> Bool {
        input.dropFirst(input.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0).allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    }
}
