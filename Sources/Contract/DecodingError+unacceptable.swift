/// A key that is whatever the payload says.
struct NameKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer {
    /// An integer, or nil where the field is null or absent. For a number that does not fit, `JSONDecoder` throws an error of its own
    /// that does not say where it is; this does.
    func decodeInteger<Value: FixedWidthInteger & Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        do {
            return try decodeIfPresent(type, forKey: key)
        } catch let error as DecodingError {
            throw error
        } catch {
            throw DecodingError.unacceptable("must be an integer from \(Value.min) to \(Value.max)", at: codingPath + [key])
        }
    }
}

extension DecodingError {
    /// The value has the right JSON type and is refused all the same; `message` goes to the sender as it is.
    static func unacceptable(_ message: String, at codingPath: [any CodingKey]) -> DecodingError {
        let reason = Rejection(.invalidPayload, message)
        return .dataCorrupted(Context(codingPath: codingPath, debugDescription: message, underlyingError: reason))
    }
}
