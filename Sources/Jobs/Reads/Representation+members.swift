public import Contract
public import Postgres

extension Representation {
    /// Made of members that there are already.
    public init(of members: [Member]) {
        self.members = members
    }

    /// The same, with more members behind.
    public func adding(@Builder _ more: () -> [Member]) -> Representation {
        Representation(of: members + more())
    }

    /// The members of a part, to be shown among those of the whole.
    public static func members<Part>(
        of part: Representation<Part>, at path: any KeyPath<Value, Part> & Sendable
    ) -> [Member] {
        part.members.map { member in Member(member.name, schema: member.schema) { member.write($0[keyPath: path]) } }
    }
}

extension Representation.Member {
    /// A word out of a list that is the database's.
    public static func word(_ name: String, among words: [String], _ path: Path<String>) -> Self {
        Self(name, schema: ["type": "string", "enum": .array(words.map { .string($0) })]) { .string($0[keyPath: path]) }
    }

    /// A number with a fraction.
    public static func real(_ name: String, _ path: Path<Double>) -> Self {
        Self(name, schema: ["type": "number"]) { .double($0[keyPath: path]) }
    }

    /// An array of parts that have a representation of their own.
    public static func list<Part>(_ name: String, of part: Representation<Part>, _ path: Path<[Part]>) -> Self {
        Self(name, schema: ["type": "array", "items": part.schema]) { .array($0[keyPath: path].map { part.json($0) }) }
    }
}

extension JSONValue: ColumnValue {
    /// A `jsonb`; NULL is null. What is beyond a reader's bounds, such as a number that no double holds, is its text: no job can have stored it.
    public static func read(_ rows: Rows, _ row: Int, _ column: Int) -> JSONValue {
        guard let text = rows.optionalText(row, column) else { return .null }
        return (try? JSONValue(parsing: Array(text.utf8))) ?? .string(text)
    }
}
