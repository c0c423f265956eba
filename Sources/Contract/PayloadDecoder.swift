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

    /// The members of a payload that is to be completed before it is decoded.
    ///
    /// - Throws: as ``decode(_:from:)-(_,UnsafeRawBufferPointer)``, but for what the kind's fields say.
    public static func members(of body: [UInt8]) throws(Rejection) -> [String: JSONValue] {
        let result = body.withUnsafeBytes { bytes in
            Result<JSONValue, Rejection> { () throws(Rejection) in try value(of: bytes) }
        }
        guard case .object(let members) = try result.get() else { return [:] }
        return members
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

extension Kind {
    /// The type that describes this kind's payload.
    public var payload: any JobPayload.Type {
        guard let type = Self.payloads.first(where: { $0.kind == self }) else { preconditionFailure("\(name) is in no list") }
        return type
    }

    /// Whether its answer shows a secret, once.
    public var makesSecret: Bool { payload.resultSchema["properties"]?["secret"] != nil }

    /// What is wrong with a payload, as a worker would find it.
    public func check(_ members: [String: JSONValue]) throws(Rejection) { try Self.check(members, as: payload) }

    private static func check<Payload: JobPayload>(
        _ members: [String: JSONValue], as type: Payload.Type
    ) throws(Rejection) {
        _ = try PayloadDecoder.decode(type, from: .object(members))
    }
}
