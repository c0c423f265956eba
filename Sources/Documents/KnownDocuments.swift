public import Contract

/// What tells whether a document is new, changed or a copy: its id, the hash of its content, and its attributes.
public struct DocumentDigest: Sendable, Equatable {
    public let externalID: String
    /// SHA-256 of the content's bytes, hexadecimal.
    public let hash: String
    /// Everything about it but its content, as one text: equal when nothing there has changed.
    public let attributes: String
    /// What it counts in `corpus_bytes`: the larger of its content and its text.
    public var bytes: Int64
}

/// A tenant's documents that a job's own documents are compared with.
///
/// Ids and attributes are compared byte by byte, as PostgreSQL does: `String` takes for equal what Unicode calls canonically equivalent.
public struct KnownDocuments {
    private var byID: [[UInt8]: DocumentDigest] = [:]
    private var idByHash: [String: String] = [:]

    init(_ documents: [DocumentDigest]) {
        for document in documents { note(document) }
    }

    /// What is to be done with this document.
    public func outcome(of document: DocumentDigest) -> DocumentOutcome {
        guard let known = byID[Array(document.externalID.utf8)] else {
            return idByHash[document.hash].map { .duplicateOf($0) } ?? .created
        }
        let isSame = known.hash == document.hash && known.attributes.utf8.elementsEqual(document.attributes.utf8)
        return isSame ? .unchanged : .updated
    }

    /// What the known document counts; 0 if there is none of this id.
    public func bytes(of externalID: String) -> Int64 { byID[Array(externalID.utf8)]?.bytes ?? 0 }

    /// Adds or replaces a document, so that later ones of the same job are compared with it, too.
    public mutating func note(_ document: DocumentDigest) {
        let id = Array(document.externalID.utf8)
        if let before = byID[id], let owner = idByHash[before.hash], owner.utf8.elementsEqual(id) { idByHash[before.hash] = nil }
        byID[id] = document
        if idByHash[document.hash] == nil { idByHash[document.hash] = document.externalID }
    }
}

/// What is done with a document that a tenant is given.
public enum DocumentOutcome: Sendable, Equatable {
    case created, updated, unchanged
    case duplicateOf(String)
    /// It yields more text than it may.
    case rejected(Rejection)

    /// The document's entry in an answer: `{"external_id", "status", "chunks"?, "duplicate_of"?, "error"?}`.
    public func entry(of externalID: String, chunks: Int) -> JSONValue {
        var entry: [String: JSONValue] = ["external_id": .string(externalID)]
        switch self {
        case .created, .updated:
            entry["status"] = .string(self == .created ? "created" : "updated")
            entry["chunks"] = .int(Int64(chunks))
        case .unchanged:
            entry["status"] = "unchanged"
        case .duplicateOf(let other):
            entry["status"] = "duplicate_of"
            entry["duplicate_of"] = .string(other)
        case .rejected(let rejection):
            entry["status"] = "rejected"
            entry["error"] = rejection.json
        }
        return .object(entry)
    }
}
