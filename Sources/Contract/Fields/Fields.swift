/// The fields of a JSON object, and the rules that several of them follow together: the one description of a payload.
///
/// Unknown members are ignored. Fields are read in their order; then come the rules and the checks of the fields. The first
/// that is wrong is blamed.
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
        var owner = blank
        for field in fields {
            if let alias, alias.field == field.name {
                try read(field, orUnder: alias.name, members, &owner)
            } else {
                do throws(FieldFailure) { try field.read(members, &owner) } catch { throw error.at(field.name) }
            }
        }
        return owner
    }

    /// A field under either of its names; null is as if it were not there.
    private func read(
        _ field: Field<Owner>, orUnder alias: String, _ members: [String: JSONValue], _ owner: inout Owner
    ) throws(FieldFailure) {
        let given = [field.name, alias].filter { members[$0, default: .null] != .null }
        let name = given.first ?? field.name
        do throws(FieldFailure) {
            try field.read(given.isEmpty ? [:] : [field.name: members[name] ?? .null], &owner)
        } catch {
            throw error.at(name)
        }
        if given.count == 2, members[field.name] != members[alias] {
            throw FieldFailure("names another \(field.name) than /\(field.name) does").at(alias)
        }
    }

    func check(_ owner: Owner) throws(FieldFailure) {
        for rule in rules where rule.field == nil { try rule.check(owner) }
        for field in fields {
            for rule in rules where rule.field == field.name { try rule.check(owner) }
            do throws(FieldFailure) { try field.check(owner) } catch { throw error.at(field.name) }
        }
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

    /// Whether the audit log keeps any of the fields.
    var hasAudited: Bool { fields.contains { $0.audited != nil } }

    /// What the audit log keeps of an object: known fields that may be kept.
    func audited(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return .null }
        var kept: [String: JSONValue] = [:]
        for field in fields {
            guard let audited = field.audited, let member = members[field.name] else { continue }
            kept[field.name] = audited(member)
        }
        if let alias, let member = members[alias.name], let field = fields.first(where: { $0.name == alias.field }) {
            kept[alias.name] = field.audited?(member)
        }
        return .object(kept)
    }

    /// In the order of the list.
    var names: [String] { fields.map(\.name) }

    /// The names of the object's members that are known.
    func known(_ value: JSONValue) -> [String] {
        (names + [alias?.name].compactMap { $0 }).filter { value[$0] != nil }.sorted()
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
    /// Just before the check of this field it is asked; nil is before all of them.
    let field: String?
    let check: @Sendable (Owner) throws(FieldFailure) -> Void

    init(schema: JSONValue, before field: String? = nil, check: @escaping @Sendable (Owner) throws(FieldFailure) -> Void) {
        self.schema = schema
        self.field = field
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
