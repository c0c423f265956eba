/// Why a job was rejected or dead-lettered, as it stands on the wire (contract, section 2).
public enum ErrorCode: String, Sendable, CaseIterable, ClosedWord {
    case malformedJSON = "malformed_json"
    case invalidPayload = "invalid_payload"
    case unknownKind = "unknown_kind"
    case payloadTooLarge = "payload_too_large"
    case unauthenticated
    case forbidden
    case accountUnknown = "account_unknown"
    case tenantUnknown = "tenant_unknown"
    case tenantSuspended = "tenant_suspended"
    case slugTaken = "slug_taken"
    case limitReached = "limit_reached"
    case conflict
    case preconditionFailed = "precondition_failed"
    case retriesExhausted = "retries_exhausted"
    case crashLoop = "crash_loop"
    case tooSlow = "too_slow"
}

/// A job's own fault: it is answered with this and goes to the dead-letter queue.
public struct Rejection: Error, Sendable, Equatable {
    public var code: ErrorCode
    /// A sentence for a person. It never quotes the payload, so that it stays short and holds no secret.
    public var message: String
    /// A JSON Pointer (RFC 6901) into the payload: `""` is the payload as a whole, nil means that no place is to blame.
    public var field: String?
    /// Which limit it was; of `limit_reached` alone.
    public var limit: ReachedLimit?

    public init(_ code: ErrorCode, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    /// `limit_reached`.
    public init(_ limit: ReachedLimit, _ message: String, field: String? = nil) {
        self.init(.limitReached, message, field: field)
        self.limit = limit
    }

    /// `invalid_payload` at a JSON Pointer.
    public static func invalid(_ field: String, _ message: String) -> Rejection {
        Rejection(.invalidPayload, message, field: field)
    }
}

extension Rejection: CustomStringConvertible {
    public var description: String {
        guard let field else { return "\(code.rawValue): \(message)" }
        return "\(code.rawValue) at \"\(field)\": \(message)"
    }
}

extension Rejection {
    /// `{"code", "message", "field"}`, as it stands in an answer; of `limit_reached` also what ``ReachedLimit`` says.
    public var json: JSONValue {
        let plain = Self.fields.write(self, hasNulls: true)
        guard let limit, case .object(let members) = plain, case .object(let more) = limit.json else { return plain }
        return .object(members.merging(more) { own, _ in own })
    }

    private static let fields = Fields(Rejection(.conflict, "")) {
        Field("code", \.code, .word)
        Field("message", \.message, .anyText)
        Field("field", \.field, .anyText)
    }

    /// Every field is written: what does not apply is null. Those of a limit are there for `limit_reached` alone.
    public static let schema: JSONValue = fields.schema.mergePatch([
        "required": .array(fields.names.map { .string($0) }), "properties": ReachedLimit.schema["properties"] ?? [:],
    ])

    static let fieldType = FieldType<Rejection>(
        schema: schema,
        read: { value throws(FieldFailure) in
            guard case .object(let members) = value else { throw FieldType<Rejection>.mismatch("an object", value) }
            var rejection = try fields.read(members)
            rejection.limit = try ReachedLimit(members)
            return rejection
        }, write: { $0.json })
}
