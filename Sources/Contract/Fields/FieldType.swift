/// What values a field takes, said once: how one is read from JSON and written, what is checked, and what its JSON Schema is.
///
/// The types there are stand in `FieldType+….swift`; a new one is a static property or function there.
public struct FieldType<Value: Sendable>: Sendable {
    /// JSON Schema (2020-12) of a value that is there and not null.
    let schema: JSONValue
    let read: @Sendable (JSONValue) throws(FieldFailure) -> Value
    let write: @Sendable (Value) -> JSONValue
    /// Checks what the Swift type does not say. All fields of a payload are read before the first one is checked.
    let check: @Sendable (Value) throws(FieldFailure) -> Void
    /// What the audit log keeps of a value.
    let audited: @Sendable (JSONValue) -> JSONValue

    init(
        schema: JSONValue, read: @escaping @Sendable (JSONValue) throws(FieldFailure) -> Value,
        write: @escaping @Sendable (Value) -> JSONValue,
        check: @escaping @Sendable (Value) throws(FieldFailure) -> Void = { _ in },
        audited: @escaping @Sendable (JSONValue) -> JSONValue = { FieldType.withoutContainers($0) }
    ) {
        self.schema = schema
        self.read = read
        self.write = write
        self.check = check
        self.audited = audited
    }

    /// A value as it is; of an object, which the type does not describe, the names alone, and of a list nothing.
    static func withoutContainers(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members): .array(members.keys.sorted().map { .string($0) })
        case .array: .null
        default: value
        }
    }

    /// The same values, of which only those pass that `isGood` lets pass; others are refused with the message.
    func checked(_ message: String, schema patch: JSONValue = [:], _ isGood: @escaping @Sendable (Value) -> Bool) -> FieldType {
        let check = check
        return FieldType(
            schema: schema.mergePatch(patch), read: read, write: write,
            check: { value throws(FieldFailure) in
                try check(value)
                guard isGood(value) else { throw FieldFailure(message) }
            }, audited: audited)
    }

    /// The same, with something said about it in the schema.
    func described(_ description: String) -> FieldType { schema(["description": .string(description)]) }

    /// The same, with more in its schema than follows from the type.
    func schema(_ patch: JSONValue) -> FieldType {
        FieldType(schema: schema.mergePatch(patch), read: read, write: write, check: check, audited: audited)
    }

    static func mismatch(_ expected: String, _ found: JSONValue) -> FieldFailure {
        FieldFailure("must be \(expected), not \(found.typeName)")
    }
}
