internal import Contract

/// A document that has been read and split.
public struct PreparedDocument: Sendable {
    public let document: HashedDocument
    public let searchConfiguration: String
    public let chunks: [Chunk]

    /// - Throws: `Rejection` with the document's place in the payload, where its content is not what its media type says.
    public init(_ document: HashedDocument, index: Int) throws {
        self.document = document
        let field = "/documents/\(index)/\(document.source.content != nil ? "content" : "content_base64")"
        guard let mediaType = MediaType(document.source.mediaType) else {
            throw Rejection.invalid("/documents/\(index)/media_type", "is not supported")
        }
        guard !document.content.contains(0) else { throw Rejection.invalid(field, "a text may not contain NUL") }
        let text: DocumentText
        do throws(ExtractionError) {
            text = try TextExtractor.extract(document.content, as: mediaType)
        } catch {
            throw Rejection.invalid(field, "cannot be read as \(document.source.mediaType): \(error.message)")
        }
        chunks = Chunker().chunks(of: text)
        let language = document.source.language ?? SearchLanguage.detect(chunks.prefix(8).map(\.content).joined(separator: " "))
        searchConfiguration = SearchLanguage.configuration(for: language)
    }
}
