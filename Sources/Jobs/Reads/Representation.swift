public import Contract
public import Postgres

/// What is shown of a value: the members of its JSON object, in order, each with its JSON Schema. The object, the columns of a CSV file and the
/// schema in the OpenAPI document all follow from it.
///
///     static let representation = Representation<TenantSummary> {
///         Member.text("slug", \.slug)
///         Member.text("plan", \.plan)          // an optional property: null where it is nil
///         Member.instant("created_at", \.createdAt)
///     }
public struct Representation<Value: Sendable>: Sendable {
    public let members: [Member]

    /// One member of the object.
    public struct Member: Sendable {
        public let name: String
        public let schema: JSONValue
        public let write: @Sendable (Value) -> JSONValue

        /// A member of any shape.
        public init(_ name: String, schema: JSONValue, _ write: @escaping @Sendable (Value) -> JSONValue) {
            self.name = name
            self.schema = schema
            self.write = write
        }
    }

    public init(@Builder _ members: () -> [Member]) {
        self.members = members()
    }

    /// The object of a value.
    public func json(_ value: Value) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.write(value)) }))
    }

    /// The object's schema: every member is there.
    public var schema: JSONValue {
        [
            "type": "object", "required": .array(members.map { .string($0.name) }),
            "properties": .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.schema) })),
        ]
    }

    /// Puts members together, one a line.
    @resultBuilder
    public enum Builder {
        public static func buildExpression(_ member: Member) -> Member { member }
        public static func buildBlock(_ members: Member...) -> [Member] { members }
    }
}

extension Representation.Member {
    public typealias Path<Part> = any KeyPath<Value, Part> & Sendable

    public static func text(_ name: String, _ path: Path<String>) -> Self {
        Self(name, schema: ["type": "string"]) { .string($0[keyPath: path]) }
    }

    public static func text(_ name: String, _ path: Path<String?>) -> Self {
        Self(name, schema: ["type": ["string", "null"]]) { $0[keyPath: path].map { .string($0) } ?? .null }
    }

    /// A word out of a list.
    public static func word<Word: ClosedWord>(_ name: String, _ path: Path<Word>) -> Self {
        Self(name, schema: ["type": "string", "enum": .array(Word.allCases.map { .string($0.rawValue) })]) {
            .string($0[keyPath: path].rawValue)
        }
    }

    /// A whole number; as a string where it is beyond 2^53, which readers of JSON cannot be trusted with.
    public static func number(_ name: String, _ path: Path<Int64>) -> Self {
        Self(name, schema: ["type": ["integer", "string"]]) { .number($0[keyPath: path]) }
    }

    public static func number(_ name: String, _ path: Path<Int64?>) -> Self {
        Self(name, schema: ["type": ["integer", "string", "null"]]) { $0[keyPath: path].map { .number($0) } ?? .null }
    }

    public static func boolean(_ name: String, _ path: Path<Bool>) -> Self {
        Self(name, schema: ["type": "boolean"]) { .bool($0[keyPath: path]) }
    }

    /// RFC 3339; null for never.
    public static func instant(_ name: String, _ path: Path<Timestamp>) -> Self {
        Self(name, schema: ["type": ["string", "null"], "format": "date-time"]) { .instant($0[keyPath: path]) }
    }

    public static func instant(_ name: String, _ path: Path<Timestamp?>) -> Self {
        Self(name, schema: ["type": ["string", "null"], "format": "date-time"]) {
            $0[keyPath: path].map { .instant($0) } ?? .null
        }
    }

    public static func texts(_ name: String, _ path: Path<[String]>) -> Self {
        Self(name, schema: ["type": "array", "items": ["type": "string"]]) { .array($0[keyPath: path].map { .string($0) }) }
    }

    /// An object whose members are the customer's own business.
    public static func object(_ name: String, _ path: Path<JSONValue>) -> Self {
        Self(name, schema: ["type": ["object", "null"]]) { $0[keyPath: path] }
    }
}

extension JSONValue {
    /// A number, or, beyond 2^53, its digits as a string.
    public static func number(_ number: Int64) -> JSONValue {
        number.magnitude > 1 << 53 ? .string(String(number)) : .int(number)
    }

    /// RFC 3339; null for a time that never comes or always was.
    public static func instant(_ time: Timestamp) -> JSONValue { time.isFinite ? .string(time.rfc3339) : .null }
}
