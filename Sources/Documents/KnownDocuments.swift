internal import Contract
internal import Postgres

/// The documents that a job's own could be new, changed or equal to.
public struct KnownDocuments {
    private struct Known {
        let hash: String
        let attributes: String
        let bytes: Int64
    }

    private var byID: [String: Known] = [:]
    private var idByHash: [String: String] = [:]

    init(_ rows: Rows) {
        for row in 0..<rows.count {
            note(id: rows.text(row, 0), Known(hash: rows.text(row, 1), attributes: rows.text(row, 2), bytes: rows.int(row, 3)))
        }
    }

    public func verdict(on document: HashedDocument) -> Verdict {
        guard let known = byID[document.source.externalID] else {
            return idByHash[document.hash].map { .duplicateOf($0) } ?? .created
        }
        return known.hash == document.hash && known.attributes == document.attributes ? .unchanged : .updated
    }

    public func bytes(of externalID: String) -> Int64 { byID[externalID]?.bytes ?? 0 }

    /// A later document of the same job is measured against this one, too.
    public mutating func note(_ document: HashedDocument) {
        note(id: document.source.externalID, Known(hash: document.hash, attributes: document.attributes, bytes: document.bytes))
    }

    private mutating func note(id: String, _ known: Known) {
        if let before = byID[id], idByHash[before.hash] == id { idByHash[before.hash] = nil }
        byID[id] = known
        if idByHash[known.hash] == nil { idByHash[known.hash] = id }
    }
}
