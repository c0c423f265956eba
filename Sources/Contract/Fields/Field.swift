/// One field of a JSON object, said once: its name, the property that holds it, and its type. Reading, writing, checking, the JSON Schema and
/// what the audit log keeps all follow.
///
///     Field("name", \.name, .text(1...128))                        // must be there
///     Field("expires_at", \.expiresAt, .instant)                   // an optional property: absent and null are nil
///     Field("mode", \.mode, .word, default: .archive)              // absent and null are the default
///     Field("limits", \.limits, .limits(forTenants: true))         // a `Change`: absent, null and a value are three things
public struct Field<Owner>: Sendable {
    let name: String
    let schema: JSONValue
    let isRequired: Bool
    /// Sets the property from the object's members.
    let read: @Sendable ([String: JSONValue], inout Owner) throws(FieldFailure) -> Void
    let check: @Sendable (Owner) throws(FieldFailure) -> Void
    /// nil: not written, or written as null where every field is.
    let write: @Sendable (Owner) -> JSONValue?
    /// nil: never kept in the audit log.
    let audited: (@Sendable (JSONValue) -> JSONValue)?

    /// A field that must be there.
    init<Value>(_ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, _ type: FieldType<Value>) {
        self.name = name
        schema = type.schema
        isRequired = true
        read = { members, owner throws(FieldFailure) in
            guard let value = members[name] else { throw FieldFailure("is missing") }
            owner[keyPath: path] = try type.read(value)
        }
        check = { owner throws(FieldFailure) in try type.check(owner[keyPath: path]) }
        write = { type.write($0[keyPath: path]) }
        audited = type.audited
    }

    /// A field that may be absent or null, which is nil.
    init<Value>(_ name: String, _ path: any WritableKeyPath<Owner, Value?> & Sendable, _ type: FieldType<Value>) {
        self.name = name
        schema = Schema.optional(type.schema)
        isRequired = false
        read = { members, owner throws(FieldFailure) in
            owner[keyPath: path] = try Self.given(members[name], type)
        }
        check = { owner throws(FieldFailure) in
            if let value = owner[keyPath: path] { try type.check(value) }
        }
        write = { $0[keyPath: path].map { type.write($0) } }
        audited = type.audited
    }

    /// A field that may be absent or null, which is the default.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, _ type: FieldType<Value>, default value: Value
    ) {
        self.name = name
        schema = Schema.optional(type.schema, default: type.write(value))
        isRequired = false
        read = { members, owner throws(FieldFailure) in
            owner[keyPath: path] = try Self.given(members[name], type) ?? value
        }
        check = { owner throws(FieldFailure) in try type.check(owner[keyPath: path]) }
        write = { type.write($0[keyPath: path]) }
        audited = type.audited
    }

    /// A field of an update: absent keeps, null clears.
    init<Value>(_ name: String, _ path: any WritableKeyPath<Owner, Change<Value>> & Sendable, _ type: FieldType<Value>) {
        self.name = name
        schema = Schema.optional(type.schema)
        isRequired = false
        read = { members, owner throws(FieldFailure) in
            switch members[name] {
            case nil: owner[keyPath: path] = .keep
            case .null: owner[keyPath: path] = .clear
            case .some(let value): owner[keyPath: path] = .set(try type.read(value))
            }
        }
        check = { owner throws(FieldFailure) in
            if let value = owner[keyPath: path].value { try type.check(value) }
        }
        write = { owner in
            switch owner[keyPath: path] {
            case .keep: nil
            case .clear: .null
            case .set(let value): type.write(value)
            }
        }
        audited = type.audited
    }

    private init(
        name: String, schema: JSONValue, isRequired: Bool,
        read: @escaping @Sendable ([String: JSONValue], inout Owner) throws(FieldFailure) -> Void,
        check: @escaping @Sendable (Owner) throws(FieldFailure) -> Void, write: @escaping @Sendable (Owner) -> JSONValue?,
        audited: (@Sendable (JSONValue) -> JSONValue)?
    ) {
        self.name = name
        self.schema = schema
        self.isRequired = isRequired
        self.read = read
        self.check = check
        self.write = write
        self.audited = audited
    }

    /// A field that is written and not read: it follows from the others.
    static func derived(_ name: String, schema: JSONValue, _ write: @escaping @Sendable (Owner) -> JSONValue) -> Field {
        Field(
            name: name, schema: schema, isRequired: true, read: { _, _ in }, check: { _ in }, write: { write($0) },
            audited: { $0 })
    }

    /// The same field, never kept in the audit log: a secret, what is data rather than a decision, or whom others asked to forget.
    var neverAudited: Field {
        Field(name: name, schema: schema, isRequired: isRequired, read: read, check: check, write: write, audited: nil)
    }

    private static func given<Value>(_ value: JSONValue?, _ type: FieldType<Value>) throws(FieldFailure) -> Value? {
        guard let value, value != .null else { return nil }
        return try type.read(value)
    }
}
