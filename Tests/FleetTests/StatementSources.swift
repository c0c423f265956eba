internal import Foundation

/// The statements that the product's sources declare: static members of the type `Statement`, and static functions that return one.
struct StatementSources {
    /// Qualified name → where it stands. Of several functions of one name, the last.
    private(set) var declared: [String: String] = [:]
    /// Places at which a text is run as a statement, without a declaration.
    private(set) var anonymous: [String] = []

    /// Reads all rooms but those named: the driver has no statements of its own, and commands have those of their families.
    init(besides rooms: Set<String>) throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let files = try FileManager.default.subpathsOfDirectory(atPath: sources.path).filter {
            $0.hasSuffix(".swift") && !rooms.contains(String($0.prefix { $0 != "/" }))
        }
        for file in files {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            if text.contains("import Postgres\n") { read(text, of: "Sources/\(file)") }
        }
    }

    /// Every qualified name in a file, such as `Directory.SQL.version`.
    static func names(in path: String) throws -> Set<String> {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return Set(text.matches(of: /\b[A-Z]\w*(?:\.\w+)+/).map { String($0.output) })
    }

    private mutating func read(_ text: String, of file: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // The types around a line; all code is indented alike, so a type ends before the next line that stands no deeper.
        var types: [(depth: Int, name: Substring)] = []
        for (index, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
            let depth = line.prefix { $0 == " " }.count
            let place = "\(file):\(index + 1)"
            if let type = line.firstMatch(of: /^ *(?:[a-z]+ )*(?:enum|struct|class|actor|extension|protocol) ([A-Z][\w.]*)/) {
                types.removeAll { $0.depth >= depth }
                types.append((depth, type.output.1))
            } else if let member = line.firstMatch(of: /^ *(?:[a-z]+ )*static (?:let|var|func) (\w+)/),
                Self.isStatement(lines[index...].prefix(6).joined(separator: " "))
            {
                types.removeAll { $0.depth >= depth }
                declared[(types.map(\.name) + [member.output.1]).joined(separator: ".")] = place
            }
            let rest = lines[index...].prefix(2).joined(separator: "\n")
            if rest.prefixMatch(of: /[^\n]*\b(?:query|send)\(\s*(?:Statement\(\s*)?"/) != nil { anonymous.append(place) }
        }
    }

    /// Whether a declaration that begins with this text is of a statement: what stands before its value or body says so.
    private static func isStatement(_ text: String) -> Bool {
        let signature = text.prefix { $0 != "=" && $0 != "{" }
        if signature.contains(/(?::|->) Statement *$/) { return true }
        return text.dropFirst(signature.count).prefixMatch(of: /= Statement\(/) != nil
    }
}
