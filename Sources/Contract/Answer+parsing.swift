internal import FoundationEssentials

extension Answer {
    /// An answer from its body.
    ///
    /// - Throws: `DecodingError` where the bytes are no answer.
    public init(parsing body: [UInt8]) throws {
        self = try JSONDecoder().decode(Answer.self, from: Data(body))
    }
}

extension AlertEvent {
    /// An alert from its body.
    ///
    /// - Throws: `DecodingError` where the bytes are no alert.
    public init(parsing body: [UInt8]) throws {
        self = try JSONDecoder().decode(AlertEvent.self, from: FoundationEssentials.Data(body))
    }
}
