internal import FoundationEssentials

/// The cold path: any payload from the bytes of a delivery.
public enum PayloadDecoder {
    /// One strict pass over the bytes, then `JSONDecoder`, then the payload's own rules.
    ///
    /// - Throws: `malformed_json` for what is not UTF-8, not JSON, or nested deeper than 64; `invalid_payload`, with a JSON
    ///   Pointer, for a NUL in a text, a root that is no object, a missing field, a wrong type or a broken rule.
    public static func decode<Payload: JobPayload>(
        _ type: Payload.Type, from body: UnsafeRawBufferPointer
    ) throws(Rejection) -> Payload {
        try checkStructure(body)
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(type, from: Data(body))
        } catch let error as DecodingError {
            throw rejection(error, body)
        } catch {
            throw Rejection(.malformedJSON, "the body is not JSON")
        }
        try payload.validate()
        return payload
    }

    /// As the other one, from bytes in an array.
    public static func decode<Payload: JobPayload>(_ type: Payload.Type, from body: [UInt8]) throws(Rejection) -> Payload {
        let result = body.withUnsafeBytes { bytes in
            Result<Payload, Rejection> { () throws(Rejection) in try decode(type, from: bytes) }
        }
        return try result.get()
    }

    /// UTF-8, JSON from end to end, an object, and no NUL anywhere.
    static func checkStructure(_ body: UnsafeRawBufferPointer) throws(Rejection) {
        guard UTF8Validity.holds(body) else { throw Rejection(.malformedJSON, "the body is not UTF-8") }
        if body.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw Rejection(.malformedJSON, "the body begins with a byte order mark (RFC 8259, section 8.1)")
        }
        var cursor = JSONCursor(body)
        let isValue = cursor.skipValue(depth: 0)
        cursor.skipSpace()
        guard isValue, cursor.position == body.count else {
            throw Rejection(.malformedJSON, "the body is not JSON, or nested deeper than 64, at byte \(cursor.position)")
        }
        var start = JSONCursor(body)
        start.skipSpace()
        guard start.byte == Ascii.openBrace else { throw .invalid("", "the payload must be an object") }
        if cursor.sawNUL {
            throw .invalid(start.pointerOfNUL().text, "a text may not contain NUL (\\u0000)")
        }
    }

    private static func rejection(_ error: DecodingError, _ body: UnsafeRawBufferPointer) -> Rejection {
        switch error {
        case .keyNotFound(let key, let context):
            return .invalid(JSONPointer(codingPath: context.codingPath + [key]).text, "is missing")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return mismatch(type, context, body)
        case .dataCorrupted(let context):
            let field = JSONPointer(codingPath: context.codingPath).text
            if let reason = context.underlyingError as? Rejection { return .invalid(field, reason.message) }
            return .invalid(field, "does not have the right shape")
        @unknown default:
            return .invalid("", "the payload does not have the right shape")
        }
    }

    private static func mismatch(_ type: any Any.Type, _ context: DecodingError.Context, _ body: UnsafeRawBufferPointer)
        -> Rejection
    {
        let pointer = JSONPointer(codingPath: context.codingPath)
        var cursor = JSONCursor(body)
        let found = cursor.nameOfValue(at: pointer) ?? "nothing"
        return .invalid(pointer.text, "must be \(name(of: type)), not \(found)")
    }

    /// A Swift type in JSON's words.
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "a boolean"
        case is Int.Type, is Int64.Type, is Int32.Type: "an integer"
        case is Double.Type: "a number"
        case is [Any].Type: "an array"
        default: String(describing: type).hasPrefix("Array<") ? "an array" : "an object"
        }
    }
}
