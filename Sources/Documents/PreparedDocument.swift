public import Contract
internal import Crypto

/// A document of the payload with its content's bytes and their hash.
public struct HashedDocument: Sendable {
    public let source: CorpusIngest.Document
    public let content: [UInt8]
    /// SHA-256, hexadecimal.
    public let hash: String
    /// Everything about it but its content, as one text: equal when nothing there has changed.
    public let attributes: String

    public var bytes: Int64 { Int64(content.count) }

    public var digest: DocumentDigest {
        DocumentDigest(externalID: source.externalID, hash: hash, attributes: attributes, bytes: bytes)
    }

    public init(_ source: CorpusIngest.Document) {
        self.source = source
        content = source.contentBytes
        hash = SHA256.hash(data: content).hexadecimal
        let attributes: JSONValue = [
            "title": .string(source.title), "media_type": .string(source.mediaType),
            "language": source.language.map { .string($0) } ?? .null,
            "segment": source.segment.map { .string($0) } ?? .null, "priority": .int(Int64(source.priority ?? 0)),
            "tags": .array((source.tags ?? []).map { .string($0) }), "metadata": source.metadata.map { .object($0) } ?? .null,
        ]
        self.attributes = String(decoding: attributes.serialised(), as: UTF8.self)
    }
}

/// A document that has been read and split into chunks.
public struct PreparedDocument: Sendable {
    public let document: HashedDocument
    public let searchConfiguration: String
    public let chunks: [Chunk]

    /// - Throws: `Rejection` with the document's place in the payload, where its content is not what its media type says.
    public init(_ document: HashedDocument, index: Int) throws {
        self.document = document
        let field = "/documents/\(index)/\(document.source.content != nil ? "content" : "content_base64")"
        guard let format = DocumentFormat(mediaType: document.source.mediaType) else {
            throw Rejection.invalid("/documents/\(index)/media_type", "is not supported")
        }
        guard !document.content.contains(0) else { throw Rejection.invalid(field, "a text may not contain NUL") }
        let text: DocumentText
        do throws(ExtractionError) {
            text = try TextExtractor.extract(document.content, as: format)
        } catch {
            throw Rejection.invalid(field, "cannot be read as \(document.source.mediaType): \(error.message)")
        }
        chunks = Chunker().chunks(of: text)
        let language = document.source.language ?? SearchLanguage.detect(chunks.prefix(8).map(\.content).joined(separator: " "))
        searchConfiguration = SearchLanguage.configuration(for: language)
    }
}

/// Documents as the arrays that a statement takes, one for each column.
struct DocumentColumns {
    let externalIDs: [String]
    let titles: [String]
    let mediaTypes: [String]
    let hashes: [String]
    let bytes: [Int64]
    let chunkCounts: [Int64]
    let attributes: [String]
    let searchConfigurations: [String]

    init(_ documents: [PreparedDocument]) {
        externalIDs = documents.map(\.document.source.externalID)
        titles = documents.map(\.document.source.title)
        mediaTypes = documents.map(\.document.source.mediaType)
        hashes = documents.map(\.document.hash)
        bytes = documents.map(\.document.bytes)
        chunkCounts = documents.map { Int64($0.chunks.count) }
        attributes = documents.map(\.document.attributes)
        searchConfigurations = documents.map(\.searchConfiguration)
    }
}

/// Chunks as the arrays that a statement takes, one for each column.
struct ChunkColumns {
    let positions: [Int64]
    let headings: [String]
    let contents: [String]
    let tokenCounts: [Int64]

    init(_ chunks: [Chunk]) {
        positions = chunks.map { Int64($0.position) }
        headings = chunks.map(\.heading)
        contents = chunks.map(\.content)
        tokenCounts = chunks.map { Int64($0.tokenCount) }
    }
}
