internal import Contract

/// What decides whether a document is new, changed or a copy, without its content.
public struct DocumentDigest: Sendable, Equatable {
    public let externalID: String
    /// SHA-256 of the content's bytes, hexadecimal.
    public let hash: String
    /// Everything about it but its content, as one text: equal when nothing there has changed.
    public let attributes: String
    public let bytes: Int64
}

extension HashedDocument {
    public var digest: DocumentDigest {
        DocumentDigest(externalID: source.externalID, hash: hash, attributes: attributes, bytes: bytes)
    }
}
