internal import FoundationEssentials

extension JSONValue {
    /// A value from its bytes, for JSON that was stored by us.
    ///
    /// - Throws: `DecodingError` where the bytes are no JSON.
    public init(parsing bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }
}
