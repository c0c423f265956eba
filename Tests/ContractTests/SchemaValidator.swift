@testable internal import Contract

/// As much of JSON Schema (2020-12) as our schemas use. What it does not know it refuses, so that a schema cannot say something unheard.
struct SchemaValidator {
    struct Unknown: Error { var keyword: String }

    static func takes(_ value: JSONValue, _ schema: JSONValue) throws -> Bool {
        guard case .object(let keywords) = schema else { throw Unknown(keyword: "\(schema)") }
        return try keywords.allSatisfy { keyword, says in try takes(value, keyword, says, keywords) }
    }

    private static func takes(
        _ value: JSONValue, _ keyword: String, _ says: JSONValue, _ schema: [String: JSONValue]
    ) throws -> Bool {
        switch (keyword, says, value) {
        case ("description", _, _), ("default", _, _), ("examples", _, _), ("format", _, _), ("contentEncoding", _, _):
            return true
        case ("type", .array(let types), _): return types.contains { isType($0, value) }
        case ("type", _, _): return isType(says, value)
        case ("const", _, _): return value == says
        case ("enum", .array(let values), _): return values.contains(value)
        case ("anyOf", .array(let schemas), _): return try schemas.contains { try takes(value, $0) }
        case ("oneOf", .array(let schemas), _): return try schemas.filter { try takes(value, $0) }.count == 1
        case ("not", _, _): return try !takes(value, says)
        case ("minimum", .int(let least), .int(let number)): return number >= least
        case ("maximum", .int(let most), .int(let number)): return number <= most
        case ("minimum", .int(let least), .double(let number)): return number >= Double(least)
        case ("maximum", .int(let most), .double(let number)): return number <= Double(most)
        case ("minLength", .int(let least), .string(let text)): return text.unicodeScalars.count >= least
        case ("maxLength", .int(let most), .string(let text)): return text.unicodeScalars.count <= most
        case ("pattern", .string(let pattern), .string(let text)):
            return try text.firstMatch(of: Regex(pattern).matchingSemantics(.unicodeScalar)) != nil
        case ("minItems", .int(let least), .array(let items)): return items.count >= least
        case ("maxItems", .int(let most), .array(let items)): return items.count <= most
        case ("items", _, .array(let items)): return try items.allSatisfy { try takes($0, says) }
        case ("required", .array(let names), .object(let members)):
            return names.allSatisfy { name in members.keys.contains { .string($0) == name } }
        case ("properties", .object(let properties), .object(let members)):
            return try members.allSatisfy { name, member in try properties[name].map { try takes(member, $0) } ?? true }
        case ("propertyNames", _, .object(let members)): return try members.keys.allSatisfy { try takes(.string($0), says) }
        case ("additionalProperties", .bool(false), .object(let members)):
            guard case .object(let properties)? = schema["properties"] else { return members.isEmpty }
            return members.keys.allSatisfy { properties[$0] != nil }
        case ("minimum", _, _), ("maximum", _, _), ("minLength", _, _), ("maxLength", _, _), ("pattern", _, _),
            ("minItems", _, _),
            ("maxItems", _, _), ("items", _, _), ("required", _, _), ("properties", _, _), ("propertyNames", _, _),
            ("additionalProperties", _, _):
            return true  // of another type than the keyword speaks of
        default: throw Unknown(keyword: keyword)
        }
    }

    private static func isType(_ type: JSONValue, _ value: JSONValue) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .int: type == "integer" || type == "number"
        case .double(let number): type == "number" || type == "integer" && number == number.rounded()
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
