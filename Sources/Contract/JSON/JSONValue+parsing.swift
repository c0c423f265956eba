extension JSONValue {
    /// A value from its bytes, for JSON that we have stored ourselves or were answered with.
    public init(parsing bytes: [UInt8]) throws(JSONFault) {
        let outcome = bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, .stored)
            return Result<JSONValue, JSONFault> { () throws(JSONFault) in
                guard let value = reader.read() else { throw reader.fault ?? .malformed(byte: 0) }
                return value
            }
        }
        self = try outcome.get()
    }

    /// What it is, in words for a message.
    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
