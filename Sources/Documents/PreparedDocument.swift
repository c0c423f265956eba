public import Contract
internal import Crypto

/// A document of the payload with the hash of its content.
public struct HashedDocument: Sendable {
    public let source: CorpusIngest.Document
    /// SHA-256 of the content's bytes, hexadecimal.
    public let hash: String
    /// Everything about it but its content, as one text: equal when nothing there has changed.
    public let attributes: String
    /// The content's bytes, decoded.
    public let byteCount: Int

    public init(_ source: CorpusIngest.Document) {
        self.source = source
        (hash, byteCount) = source.withContentBytes { content in
            var hash = SHA256()
            hash.update(bufferPointer: content)
            return (hash.finalize().hexadecimal, content.count)
        }
        let attributes: JSONValue = [
            "title": .string(source.title), "media_type": .string(source.mediaType),
            "language": source.language.map { .string($0) } ?? .null,
            "segment": source.segment.map { .string($0) } ?? .null, "priority": .int(Int64(source.priority ?? 0)),
            "tags": .array((source.tags ?? []).map { .string($0) }), "metadata": source.metadata.map { .object($0) } ?? .null,
        ]
        self.attributes = String(decoding: attributes.serialised(), as: UTF8.self)
    }

    /// As it is compared with what is there; its text is not known yet.
    public var digest: DocumentDigest {
        DocumentDigest(externalID: source.externalID, hash: hash, attributes: attributes, bytes: Int64(byteCount))
    }
}

/// A document that has been read. Its chunks are there if they are few; those of a long text are made a batch at a time when they are written.
public struct PreparedDocument: Sendable {
    let document: HashedDocument
    let searchConfiguration: String
    public let chunkCount: Int
    /// Its headings and blocks, each once, before they are split into chunks.
    public let textBytes: Int
    /// What its chunks take, with what they repeat.
    public let chunkBytes: Int
    let content: Content

    enum Content: Sendable {
        case chunks([Chunk])
        case text(DocumentText)
    }

    /// What it counts in `corpus_bytes`.
    public var countedBytes: Int64 { Int64(max(document.byteCount, textBytes)) }

    /// What is held of it in memory beside the payload.
    var heldBytes: Int {
        switch content {
        case .chunks: chunkBytes
        case .text(let text): text.byteCount
        }
    }

    /// - Parameters:
    ///   - index: its place in the payload.
    ///   - offer: what it may come to.
    /// - Throws: `Rejection` with the document's place in the payload: where its content is not what its media type says, and
    ///   `payload_too_large` where it yields more than it may.
    public init(_ document: HashedDocument, index: Int, within offer: TextAllowance.Offer) throws(Rejection) {
        self.document = document
        let field = "/documents/\(index)/\(document.source.content != nil ? "content" : "content_base64")"
        guard let format = DocumentFormat(mediaType: document.source.mediaType) else {
            throw Rejection.invalid("/documents/\(index)/media_type", "is not supported")
        }
        let text: DocumentText
        do throws(ExtractionError) {
            let content = document.source.contentBytes
            guard !content.contains(0) else { throw ExtractionError("a text may not contain NUL") }
            text = try TextExtractor.extract(content, as: format, mostTextBytes: offer.textBytes)
        } catch {
            guard !error.isTooLarge else { throw Self.tooLarge(error.message, index) }
            throw Rejection.invalid(field, "cannot be read as \(document.source.mediaType): \(error.message)")
        }
        var batches = ChunkBatches(of: text)
        let first = batches.next()
        var count = first.count
        while !batches.isAtEnd, batches.bytes <= offer.chunkBytes { count += batches.next().count }
        guard batches.bytes <= offer.chunkBytes else {
            throw Self.tooLarge(
                "its chunks, with headings that are repeated, would be more than \(offer.chunkBytes) bytes", index)
        }
        content = count == first.count ? .chunks(first) : .text(text)
        chunkCount = count
        textBytes = text.byteCount
        chunkBytes = batches.bytes
        let language = document.source.language ?? SearchLanguage.detect(first.prefix(8).map(\.content).joined(separator: " "))
        searchConfiguration = SearchLanguage.configuration(for: language)
    }

    private static func tooLarge(_ message: String, _ index: Int) -> Rejection {
        Rejection(
            .payloadTooLarge,
            """
            \(message): the documents of a job yield at most \(Bounds.textFactor) times their bytes or \(Bounds.leastTextBytes) bytes, \
            whichever is more, and never more than \(Bounds.mostTextBytes)
            """, field: "/documents/\(index)")
    }
}

/// Documents as the arrays that a statement takes, one for each column.
struct DocumentColumns {
    let externalIDs: [String]
    let titles: [String]
    let mediaTypes: [String]
    let hashes: [String]
    let bytes: [Int64]
    let textBytes: [Int64]
    let chunkCounts: [Int64]
    let attributes: [String]
    let searchConfigurations: [String]

    init(_ documents: [PreparedDocument]) {
        externalIDs = documents.map(\.document.source.externalID)
        titles = documents.map(\.document.source.title)
        mediaTypes = documents.map(\.document.source.mediaType)
        hashes = documents.map(\.document.hash)
        bytes = documents.map { Int64($0.document.byteCount) }
        textBytes = documents.map { Int64($0.textBytes) }
        chunkCounts = documents.map { Int64($0.chunkCount) }
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
