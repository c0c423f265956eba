/// A field of an update that may also be cleared: absent, null and a value are three things.
public enum Change<Value: Codable & Sendable & Equatable>: Sendable, Equatable {
    /// Not in the payload: stays as it is.
    case keep
    /// null in the payload.
    case clear
    case set(Value)

    /// The new value, if there is one.
    public var value: Value? {
        guard case .set(let value) = self else { return nil }
        return value
    }
}

extension KeyedDecodingContainer {
    func decodeChange<Value>(_ type: Value.Type, forKey key: Key) throws -> Change<Value> {
        guard contains(key) else { return .keep }
        return try decodeNil(forKey: key) ? .clear : .set(decode(type, forKey: key))
    }
}

extension KeyedEncodingContainer {
    mutating func encode<Value>(_ change: Change<Value>, forKey key: Key) throws {
        switch change {
        case .keep: break
        case .clear: try encodeNil(forKey: key)
        case .set(let value): try encode(value, forKey: key)
        }
    }
}
