internal import Contract
internal import Jobs
internal import Postgres

/// A parameter that a route takes behind the `?`, with its JSON Schema.
struct QueryParameter: Sendable {
    let name: String
    let schema: JSONValue
    let summary: String
    var example: JSONValue?
    /// Whether it may stand there several times.
    var isRepeated = false

    static func text(_ name: String, _ summary: String, example: String) -> QueryParameter {
        QueryParameter(
            name: name, schema: ["type": "string", "minLength": 1, "maxLength": 200], summary: summary, example: .string(example))
    }

    static func word<Word: ClosedWord>(_ name: String, _ type: Word.Type, _ summary: String) -> QueryParameter {
        QueryParameter(
            name: name, schema: ["type": "string", "enum": .array(Word.allCases.map { .string($0.rawValue) })], summary: summary)
    }

    static func instant(_ name: String, _ summary: String, example: String) -> QueryParameter {
        QueryParameter(
            name: name, schema: ["type": "string", "format": "date-time"], summary: summary, example: .string(example))
    }

    static func boolean(_ name: String, _ summary: String) -> QueryParameter {
        QueryParameter(name: name, schema: ["type": "boolean"], summary: summary)
    }

    static func integer(_ name: String, _ range: ClosedRange<Int64>, _ summary: String) -> QueryParameter {
        QueryParameter(
            name: name, schema: ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)],
            summary: summary)
    }

    static func month(_ name: String, _ summary: String) -> QueryParameter {
        QueryParameter(
            name: name, schema: ["type": "string", "pattern": "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])$"], summary: summary,
            example: "2026-11")
    }

    var repeated: QueryParameter {
        var copy = self
        copy.isRepeated = true
        return copy
    }

    /// Every list has these.
    static let paging = [
        QueryParameter(
            name: "cursor", schema: ["type": "string", "maxLength": 4_096],
            summary: "Where the list goes on: `next` of the page before."),
        integer("limit", 1...200, "The most entries of the page; 50 if not said."),
    ]
}

/// The parameters of a request, all of which the route takes.
struct Query: Sendable {
    private let values: [String: [String]]

    /// - Throws: `Problem` (400) for a name that is unknown or stands there twice, and for what cannot be decoded.
    init(_ text: Substring, _ known: [QueryParameter]) throws(Problem) {
        guard let parameters = RequestTarget.parameters(text) else {
            throw .parameter("query", "is not percent-encoded UTF-8 without NUL")
        }
        var values: [String: [String]] = [:]
        for (name, value) in parameters {
            guard let parameter = known.first(where: { $0.name == name }) else {
                let names = known.map(\.name).joined(separator: ", ")
                throw .parameter(
                    name, names.isEmpty ? "is unknown: this path takes no parameters" : "is unknown; there are \(names)")
            }
            if values[name] != nil, !parameter.isRepeated { throw .parameter(name, "stands there more than once") }
            values[name, default: []].append(value)
        }
        self.values = values
    }

    /// What was asked for, without where the list goes on: a cursor holds for this.
    var identity: String {
        values.filter { $0.key != "cursor" && $0.key != "limit" }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value.joined(separator: "\u{1}"))" }.joined(separator: "\u{2}")
    }

    /// The parameters but the cursor, encoded again.
    func encoded(with cursor: String) -> String {
        var parts = values.filter { $0.key != "cursor" }.sorted { $0.key < $1.key }.flatMap { name, values in
            values.map { "\(name)=\(RequestTarget.encode($0))" }
        }
        parts.append("cursor=\(RequestTarget.encode(cursor))")
        return parts.joined(separator: "&")
    }

    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// A text of 1 to 200 characters.
    func text(_ name: String) throws(Problem) -> String? {
        guard let text = values[name]?.first else { return nil }
        guard (1...200).contains(text.unicodeScalars.count) else { throw .parameter(name, "must have 1 to 200 characters") }
        return text
    }

    /// Whatever stands there.
    func raw(_ name: String) -> String? { values[name]?.first }

    func word<Word: ClosedWord>(_ name: String, _ type: Word.Type) throws(Problem) -> Word? {
        guard let text = values[name]?.first else { return nil }
        guard let word = Word(rawValue: text) else { throw .parameter(name, "must be one of \(Word.words)") }
        return word
    }

    func instant(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = values[name]?.first else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw .parameter(name, "must be an RFC 3339 date-time such as 2026-11-23T01:00:00Z")
        }
        return time
    }

    func boolean(_ name: String) throws(Problem) -> Bool? {
        guard let text = values[name]?.first else { return nil }
        guard let value = Bool(text) else { throw .parameter(name, "must be true or false") }
        return value
    }

    func integer(_ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = values[name]?.first else { return nil }
        guard let value = Int64(text), range.contains(value), text.utf8.first != UInt8(ascii: "+") else {
            throw .parameter(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func month(_ name: String) throws(Problem) -> String? {
        guard let text = values[name]?.first else { return nil }
        guard text.wholeMatch(of: /(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])/) != nil else {
            throw .parameter(name, "must be a month such as 2026-11, from 1970-01 to 2999-12")
        }
        return text
    }
}
