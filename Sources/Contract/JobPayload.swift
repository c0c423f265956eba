/// The payload of one kind: what a producer encodes, what a handler is given.
public protocol JobPayload: Sendable {
    static var kind: Kind { get }
    /// Every field, said once: decoding, encoding, checks, JSON Schema and what the audit log keeps follow from it.
    static var fields: Fields<Self> { get }
    /// The JSON Schema of `result` in the answer to a job that succeeded.
    static var resultSchema: JSONValue { get }
    /// One that works, for the AsyncAPI and OpenAPI documents.
    static var example: Self { get }
}

extension JobPayload {
    /// The payload's JSON Schema (2020-12), for the AsyncAPI document.
    public static var schema: JSONValue { fields.schema }

    /// The example as JSON.
    public static var exampleJSON: JSONValue { fields.write(example) }

    /// Checks what the types do not say.
    /// - Throws: `invalid_payload` with the JSON Pointer of what is wrong.
    public func validate() throws(Rejection) {
        do throws(FieldFailure) { try Self.fields.check(self) } catch { throw error.rejection }
    }

    /// The payload as a job's body: JSON, UTF-8.
    public func encoded() -> [UInt8] { Self.fields.write(self).serialised() }

    /// What the audit log keeps of a payload that was accepted.
    ///
    /// - Parameter mostBytes: a longer one is kept by the names of its fields alone, `{"fields": […]}`.
    static func audited(_ body: UnsafeRawBufferPointer, mostBytes: Int) -> JSONValue {
        // Documents are not read once more to find out that nothing of them is kept.
        guard fields.hasAudited else { return .null }
        var reader = JSONReader(body, .payload)
        guard let payload = reader.read() else { return .null }
        let kept = fields.audited(payload)
        if kept.serialised().count <= mostBytes { return kept }
        return .object(["fields": .array(fields.known(payload).map { .string($0) })])
    }
}

extension Kind {
    /// What the audit log keeps of this kind's payload; see `JobPayload.audited`.
    public func auditedPayload(of body: UnsafeRawBufferPointer, mostBytes: Int) -> JSONValue {
        Self.payloads.first { $0.kind == self }?.audited(body, mostBytes: mostBytes) ?? .null
    }
}
