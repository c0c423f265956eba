public import Contract

/// What is to be done with a document that a tenant is given.
public enum Verdict: Sendable, Equatable {
    case created, updated, unchanged
    case duplicateOf(String)

    /// The document's entry in an answer: `{"external_id", "status", "chunks"?, "duplicate_of"?}`.
    public func outcome(of externalID: String, chunks: Int) -> JSONValue {
        var outcome: [String: JSONValue] = ["external_id": .string(externalID)]
        switch self {
        case .created, .updated:
            outcome["status"] = .string(self == .created ? "created" : "updated")
            outcome["chunks"] = .int(Int64(chunks))
        case .unchanged:
            outcome["status"] = "unchanged"
        case .duplicateOf(let other):
            outcome["status"] = "duplicate_of"
            outcome["duplicate_of"] = .string(other)
        }
        return .object(outcome)
    }
}
