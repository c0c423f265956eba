/// An answer with its body as it came, for those who print it or hand it on.
public struct ReceivedAnswer: Sendable {
    public let answer: Answer
    /// JSON, UTF-8.
    public let body: [UInt8]

    /// - Throws: ``ClientError`` of kind `invalid` if the bytes are no answer.
    init(_ body: [UInt8], jobID: String) throws(ClientError) {
        self.body = body
        do {
            answer = try Answer(parsing: body)
        } catch {
            throw ClientError(.invalid, "the answer to job \(jobID) could not be read: \(error)", jobID: jobID, underlying: error)
        }
    }
}

extension Answer {
    /// The result of a job that succeeded, for callers to whom a rejection is an error.
    ///
    /// - Throws: the `Rejection` of a job that was rejected.
    public func get() throws(Rejection) -> JSONValue {
        if let error { throw error }
        return result ?? .object([:])
    }

    /// `<key>.<secret>`, where the job made a credential and this is its first answer; nil for all others.
    public var credential: String? {
        guard case .string(let key)? = result?["key"], case .string(let secret)? = result?["secret"] else { return nil }
        return "\(key).\(secret)"
    }
}
