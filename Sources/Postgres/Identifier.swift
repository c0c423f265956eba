/// The name of a schema, table or other object, to be written into SQL text. The one place where identifiers are quoted.
public struct Identifier: Sendable, Hashable, CustomStringConvertible {
    /// The name as PostgreSQL's catalogue holds it.
    public let name: String

    /// - Throws: a usage error if the name is empty, longer than 63 bytes (PostgreSQL would cut it) or contains NUL.
    public init(_ name: String) throws(PostgresError) {
        guard !name.isEmpty, name.utf8.count <= 63, !name.utf8.contains(0) else {
            throw PostgresError(.usage, "an identifier has 1 to 63 bytes and no NUL")
        }
        self.name = name
    }

    /// In double quotes, with those inside doubled.
    public var quoted: String {
        var text = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { text.unicodeScalars.append("\"") }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }

    public var description: String { quoted }
}
