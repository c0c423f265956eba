/// The JSON Schemas (2020-12) that payloads share.
enum Schema {
    static let slugPrefixPattern = "^[a-z][a-z0-9-]{0,38}$"
    static let environmentPattern = "^[a-z][a-z0-9-]{0,39}$"

    static let plan = text(1...64)
    static let displayName = text(1...200)
    static let anyText: JSONValue = ["type": "string"]
    static let anyObject: JSONValue = ["type": ["object", "null"]]
    static let settingNameLengths = 1...128
    /// A tenant's settings, or a template's: any JSON under names of some length.
    static let settings = anyObject.mergePatch(["propertyNames": text(settingNameLengths)])
    static let boolean: JSONValue = ["type": "boolean"]
    static let count: JSONValue = ["type": "integer", "minimum": 0]
    static let anchorDay: JSONValue = ["type": "integer", "minimum": 1, "maximum": 31]
    static let timezone: JSONValue = ["type": "string", "pattern": "^[A-Za-z0-9_+/-]{1,64}$"]
    static let slugPrefix = pattern(slugPrefixPattern)

    static let month = pattern("^[0-9]{4}-(0[1-9]|1[0-2])$")
    /// `{"tenant", "state"}`: where a tenant stands after the job.
    static let tenantState = object(
        required: ["tenant", "state"],
        ["tenant": Slug.schema, "state": state])
    static let state: JSONValue = ["type": "string", "enum": .array(TenantState.allCases.map { .string($0.rawValue) })]
    /// A code of ISO 4217, which has one for no currency, too.
    static let currency = pattern("^[A-Z]{3}$")
    /// What is taken is more than `format` would say (RFC 5321): whether an address exists, only its reader knows.
    static let email = pattern(#"^[^@\u0000-\u0020\u007F]+@[^@\u0000-\u0020\u007F]+$"#).mergePatch([
        "description": "An e-mail address.", "maxLength": 254,
    ])

    static func text(_ lengths: ClosedRange<Int>) -> JSONValue {
        ["type": "string", "minLength": .int(Int64(lengths.lowerBound)), "maxLength": .int(Int64(lengths.upperBound))]
    }

    static func pattern(_ pattern: String) -> JSONValue {
        ["type": "string", "pattern": .string(pattern)]
    }

    static func list(_ items: JSONValue, _ counts: ClosedRange<Int>? = nil) -> JSONValue {
        var schema: [String: JSONValue] = ["type": "array", "items": items]
        if let counts {
            schema["minItems"] = .int(Int64(counts.lowerBound))
            schema["maxItems"] = .int(Int64(counts.upperBound))
        }
        return .object(schema)
    }

    /// The same, or null; a null is as if the field were not there.
    static func optional(_ schema: JSONValue, default value: JSONValue? = nil) -> JSONValue {
        var schema: JSONValue =
            schema["enum"] == nil && schema["type"] != nil ? nullable(schema) : ["anyOf": [schema, ["type": "null"]]]
        if let value { schema = schema.mergePatch(["default": value]) }
        return schema
    }

    static func object(required: [String] = [], _ properties: [String: JSONValue]) -> JSONValue {
        var schema: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return .object(schema)
    }

    /// To be merged into an object's schema: at least one of these fields is there, and not null unless null says something.
    static func atLeastOne(of names: [String], orNull nullable: [String] = []) -> JSONValue {
        ["anyOf": .array(names.map { given($0) } + nullable.map { ["required": [.string($0)]] })]
    }

    /// To be merged into an object's schema: exactly one of these fields is there, and not null.
    static func exactlyOne(of names: [String]) -> JSONValue { ["oneOf": .array(names.map { given($0) })] }

    private static func given(_ name: String) -> JSONValue {
        ["required": [.string(name)], "properties": [name: ["not": ["type": "null"]]]]
    }

    private static func nullable(_ schema: JSONValue) -> JSONValue {
        guard case .string(let type)? = schema["type"] else { return schema }
        return schema.mergePatch(["type": [.string(type), "null"]])
    }
}
