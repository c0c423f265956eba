internal import FoundationEssentials
internal import Glibc
internal import Yams

/// A value in a YAML file, together with its way there: every complaint names the file and the key.
struct YAMLPlace {
    let file: String
    let path: [String]
    let node: Node

    /// The top of a file; nil if there is nothing in it but comments.
    static func read(_ file: String) throws -> YAMLPlace? {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure("\(file) cannot be read: \(access(file, R_OK) == 0 ? "it is no file" : systemError())")
        }
        return try parse(String(decoding: data, as: UTF8.self), file: file)
    }

    static func parse(_ text: String, file: String) throws -> YAMLPlace? {
        do {
            return try Yams.compose(yaml: text).map { YAMLPlace(file: file, path: [], node: $0) }
        } catch {
            throw Failure("\(file): is not YAML: \(error)")
        }
    }

    var name: String { path.joined(separator: ".") }
    var isNull: Bool { node.null != nil }

    func failure(_ what: String) -> Failure {
        Failure(path.isEmpty ? "\(file): \(what)" : "\(file): \(name): \(what)")
    }

    /// The keys and what stands under them, as they stand in the file.
    func entries() throws -> [(key: String, place: YAMLPlace)] {
        guard case .mapping(let mapping) = node else { throw failure("must be a mapping") }
        return try mapping.map { key, value in
            guard let name = key.string else { throw failure("a key must be text") }
            return (name, YAMLPlace(file: file, path: path + [name], node: value))
        }
    }

    /// The entries of a mapping that knows only these keys.
    func fields(_ known: String...) throws -> [String: YAMLPlace] {
        var fields: [String: YAMLPlace] = [:]
        for (key, place) in try entries() {
            guard known.contains(key) else {
                throw place.failure("there is no such key here; there are \(known.joined(separator: ", "))")
            }
            fields[key] = place
        }
        return fields
    }

    func text() throws -> String {
        guard let text = node.string else { throw failure("must be text") }
        return text
    }

    func wholeNumber() throws -> Int64 {
        guard let number = node.int else { throw failure("must be a whole number") }
        return Int64(number)
    }

    /// The entries of a list; their names are their places, from 0.
    func items() throws -> [YAMLPlace] {
        guard case .sequence(let items) = node else { throw failure("must be a list") }
        return items.enumerated().map { YAMLPlace(file: file, path: path + ["\($0.offset)"], node: $0.element) }
    }

    /// A list of them; an error names the list.
    func wholeNumbers() throws -> [Int64] {
        guard case .sequence(let items) = node else { throw failure("must be a list") }
        return try items.map { try YAMLPlace(file: file, path: path, node: $0).wholeNumber() }
    }
}
