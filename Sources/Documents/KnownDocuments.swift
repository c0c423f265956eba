internal import Contract
internal import Postgres

/// The documents that a job's own could be new, changed or equal to.
///
/// Ids and attributes are compared byte by byte, as PostgreSQL does: `String` takes for equal what Unicode calls canonically equivalent.
public struct KnownDocuments {
    private var byID: [[UInt8]: DocumentDigest] = [:]
    private var idByHash: [String: String] = [:]

    init(_ rows: Rows) {
        for row in 0..<rows.count {
            note(
                DocumentDigest(
                    externalID: rows.text(row, 0), hash: rows.text(row, 1), attributes: rows.text(row, 2), bytes: rows.int(row, 3)
                ))
        }
    }

    public func verdict(on document: DocumentDigest) -> Verdict {
        guard let known = byID[Array(document.externalID.utf8)] else {
            return idByHash[document.hash].map { .duplicateOf($0) } ?? .created
        }
        let isSame = known.hash == document.hash && known.attributes.utf8.elementsEqual(document.attributes.utf8)
        return isSame ? .unchanged : .updated
    }

    public func bytes(of externalID: String) -> Int64 { byID[Array(externalID.utf8)]?.bytes ?? 0 }

    /// A later document of the same job is measured against this one, too.
    public mutating func note(_ document: DocumentDigest) {
        let id = Array(document.externalID.utf8)
        if let before = byID[id], let owner = idByHash[before.hash], owner.utf8.elementsEqual(id) { idByHash[before.hash] = nil }
        byID[id] = document
        if idByHash[document.hash] == nil { idByHash[document.hash] = document.externalID }
    }
}
