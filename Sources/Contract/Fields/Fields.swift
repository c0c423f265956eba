/// The fields of a JSON object, and the rules that several of them follow together: the one description of a payload.
///
/// Unknown members are ignored. Fields are read in their order, then checked in their order, then the rules: the first that is wrong is blamed.
public struct Fields<Owner: Sendable>: Sendable {
    /// JSON Schema (2020-12) of the object.
    let schema: JSONValue
    let blank: Owner
    private let fields: [Field<Owner>]
    private let rules: [FieldRule<Owner>]
    private let alias: Alias?

    /// Another name under which a field is read, too. If both are there they must agree.
    struct Alias: Sendable {
        let name: String
        let field: String
    }

    /// - Parameter blank: what is filled while reading; its values do not matter.
    init(
        _ blank: Owner, rules: [FieldRule<Owner>] = [], alias: Alias? = nil,
        @FieldsBuilder<Owner> _ fields: () -> [Field<Owner>]
    ) {
        let fields = fields()
        self.blank = blank
        self.fields = fields
        self.rules = rules
        self.alias = alias
        var properties = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.schema) })
        var required = fields.filter(\.isRequired).map(\.name)
        var patches = rules.map(\.schema)
        if let alias, let schema = properties[alias.field] {
            properties[alias.field] = Schema.optional(schema)
            properties[alias.name] = Schema.optional(schema)
            required.removeAll { $0 == alias.field }
            patches.append(Schema.atLeastOne(of: [alias.field, alias.name]))
        }
        schema = patches.reduce(Schema.object(required: required, properties)) { $0.mergePatch($1) }
    }

    func read(_ members: [String: JSONValue]) throws(FieldFailure) -> Owner {
        var members = members
        var aliased: String?
        if let alias, let value = members[alias.name], value != .null {
            if let own = members[alias.field], own != .null {
                guard own == value else {
                    throw FieldFailure("names another \(alias.field) than /\(alias.field) does").at(alias.name)
                }
            } else {
                members[alias.field] = value
                aliased = alias.field
            }
        }
        var owner = blank
        for field in fields {
            do throws(FieldFailure) {
                try field.read(members, &owner)
            } catch {
                throw error.at(aliased == field.name ? alias?.name ?? field.name : field.name)
            }
        }
        return owner
    }

    func check(_ owner: Owner) throws(FieldFailure) {
        for field in fields {
            do throws(FieldFailure) { try field.check(owner) } catch { throw error.at(field.name) }
        }
        for rule in rules { try rule.check(owner) }
    }

    /// A value from the bytes of its JSON.
    func parse(_ body: [UInt8]) throws(Rejection) -> Owner {
        let value: JSONValue
        do throws(JSONFault) { value = try JSONValue(parsing: body) } catch {
            throw Rejection(.malformedJSON, "the body \(error)")
        }
        guard case .object(let members) = value else { throw .invalid("", "must be an object") }
        do throws(FieldFailure) { return try read(members) } catch { throw error.rejection }
    }

    /// - Parameter hasNulls: whether what is nil is written, as null.
    func write(_ owner: Owner, hasNulls: Bool = false) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for field in fields { members[field.name] = field.write(owner) ?? (hasNulls ? .null : nil) }
        return .object(members)
    }

    /// What the audit log keeps of an object: known fields that may be kept.
    func audited(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return .null }
        var kept: [String: JSONValue] = [:]
        for field in fields {
            guard let audited = field.audited, let member = members[field.name] else { continue }
            kept[field.name] = audited(member)
        }
        return .object(kept)
    }

    /// In the order of the list.
    var names: [String] { fields.map(\.name) }

    /// The names of the object's members that are known.
    func known(_ value: JSONValue) -> [String] {
        names.filter { value[$0] != nil }.sorted()
    }
}

/// Puts a list of fields together, one a line.
@resultBuilder
enum FieldsBuilder<Owner: Sendable> {
    static func buildExpression(_ field: Field<Owner>) -> Field<Owner> { field }
    static func buildBlock(_ fields: Field<Owner>...) -> [Field<Owner>] { fields }
}

/// What several fields follow together, with its part of the JSON Schema.
public struct FieldRule<Owner>: Sendable {
    /// Merged into the object's schema.
    let schema: JSONValue
    let check: @Sendable (Owner) throws(FieldFailure) -> Void

    init(schema: JSONValue, check: @escaping @Sendable (Owner) throws(FieldFailure) -> Void) {
        self.schema = schema
        self.check = check
    }

    /// A field of either name, or of both.
    static func atLeastOne<A, B>(
        _ first: String, _ a: any KeyPath<Owner, A?> & Sendable, _ second: String, _ b: any KeyPath<Owner, B?> & Sendable
    ) -> FieldRule {
        FieldRule(schema: Schema.atLeastOne(of: [first, second])) { owner throws(FieldFailure) in
            guard owner[keyPath: a] != nil || owner[keyPath: b] != nil else {
                throw FieldFailure("is missing, and so is /\(second)").at(first)
            }
        }
    }

    /// A field of either name, and not of both.
    static func exactlyOne<A, B>(
        _ first: String, _ a: any KeyPath<Owner, A?> & Sendable, _ second: String, _ b: any KeyPath<Owner, B?> & Sendable
    ) -> FieldRule {
        FieldRule(schema: Schema.exactlyOne(of: [first, second])) { owner throws(FieldFailure) in
            switch (owner[keyPath: a] != nil, owner[keyPath: b] != nil) {
            case (false, false): throw FieldFailure("is missing, and so is /\(second)").at(first)
            case (true, true): throw FieldFailure("cannot be given together with /\(first)").at(second)
            default: break
            }
        }
    }
}
