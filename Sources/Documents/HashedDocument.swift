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

    public init(_ source: CorpusIngest.Document) {
        self.source = source
        content = source.contentBytes
        hash = SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let attributes: JSONValue = [
            "title": .string(source.title), "media_type": .string(source.mediaType),
            "language": source.language.map { .string($0) } ?? .null,
            "segment": source.segment.map { .string($0) } ?? .null, "priority": .int(Int64(source.priority ?? 0)),
            "tags": .array((source.tags ?? []).map { .string($0) }), "metadata": source.metadata.map { .object($0) } ?? .null,
        ]
        self.attributes = String(decoding: attributes.serialised(), as: UTF8.self)
    }
}
