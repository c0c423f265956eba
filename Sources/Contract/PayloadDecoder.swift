/// The cold path: any payload from the bytes of a delivery.
public enum PayloadDecoder {
    /// One strict pass over the bytes, in time proportional to them, then the payload's own fields and rules.
    ///
    /// - Throws: `malformed_json` for what is not UTF-8 or not JSON; `payload_too_large` for what nests too deep or holds too many values;
    ///   `invalid_payload`, with a JSON Pointer, for a NUL in a text, a root that is no object, a missing field, a wrong type or a broken rule.
    public static func decode<Payload: JobPayload>(
        _ type: Payload.Type, from body: UnsafeRawBufferPointer
    ) throws(Rejection) -> Payload {
        try decode(type, from: value(of: body))
    }

    /// As the other one, from bytes in an array.
    public static func decode<Payload: JobPayload>(_ type: Payload.Type, from body: [UInt8]) throws(Rejection) -> Payload {
        let result = body.withUnsafeBytes { bytes in
            Result<Payload, Rejection> { () throws(Rejection) in try decode(type, from: bytes) }
        }
        return try result.get()
    }

    /// From a payload that has been read before.
    static func decode<Payload: JobPayload>(_ type: Payload.Type, from value: JSONValue) throws(Rejection) -> Payload {
        guard case .object(let members) = value else { throw .invalid("", "the payload must be an object") }
        let payload: Payload
        do throws(FieldFailure) {
            payload = try Payload.fields.read(members)
        } catch {
            throw error.rejection
        }
        try payload.validate()
        return payload
    }

    private static func value(of body: UnsafeRawBufferPointer) throws(Rejection) -> JSONValue {
        var reader = JSONReader(body, .payload)
        guard let value = reader.read() else {
            let fault = reader.fault ?? .malformed(byte: 0)
            switch fault {
            case .tooDeep(_, let pointer): throw Rejection(.payloadTooLarge, "the body \(fault)", field: pointer)
            case .tooManyValues: throw Rejection(.payloadTooLarge, "the body \(fault)")
            case .notUTF8, .byteOrderMark, .malformed: throw Rejection(.malformedJSON, "the body \(fault)")
            }
        }
        guard case .object = value else { throw .invalid("", "the payload must be an object") }
        if let pointer = reader.pointerOfNUL { throw .invalid(pointer.text, "a text may not contain NUL (\\u0000)") }
        return value
    }
}
