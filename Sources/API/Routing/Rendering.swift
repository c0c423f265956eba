internal import Contract
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The form in which an answer is asked for.
enum Form: String, Sendable, CaseIterable {
    case json = "application/json"
    case csv = "text/csv"
    case jsonLines = "application/jsonl"
    case newlineDelimitedJSON = "application/x-ndjson"
    case html = "text/html"

    /// The first of these forms that the header `Accept` takes, by its order of preference; nil: none.
    static func chosen(_ accept: String?, among offered: [Form]) -> Form? {
        guard let accept, !accept.trimmed.isEmpty else { return offered.first }
        let wishes = accept.split(separator: ",").prefix(32).enumerated().compactMap { index, part -> (Int, Double, String)? in
            let pieces = part.split(separator: ";").map { $0.trimmed.lowercased() }
            guard let type = pieces.first else { return nil }
            let quality = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return (index, quality, type)
        }
        let unwanted = wishes.filter { $0.1 <= 0 }.map(\.2)
        for (_, quality, type) in wishes.sorted(by: { ($1.1, $0.0) < ($0.1, $1.0) }) where quality > 0 {
            if let form = offered.first(where: { $0.matches(type) && !unwanted.contains($0.rawValue) }) { return form }
        }
        return nil
    }

    private func matches(_ type: String) -> Bool {
        type == "*/*" || type == rawValue || type.hasSuffix("/*") && rawValue.hasPrefix(type.dropLast())
    }

    /// The form in which a route is to answer.
    ///
    /// - Throws: `Problem` (406) where it has none of those that are asked for.
    static func wanted(for route: Route, _ headers: HTTPFields) throws(Problem) -> Form {
        let accept = headers[values: .accept].joined(separator: ",")
        var offered: [Form] = route.success.isList ? Form.ofLists : route.success.schema == nil ? [] : [.json]
        offered += route.success.otherTypes.compactMap { Form(rawValue: $0) }.filter { !offered.contains($0) }
        if offered.isEmpty { return .json }
        guard let form = Form.chosen(accept, among: offered) else { throw .notAcceptable(offered.map(\.rawValue)) }
        return form
    }

    /// What lists are to be had in.
    static let ofLists: [Form] = [.json, .csv, .jsonLines, .newlineDelimitedJSON]
}

extension Listing {
    func bytes(in form: Form) -> ByteBuffer {
        switch form {
        case .csv: return ByteBuffer(string: csv)
        case .jsonLines, .newlineDelimitedJSON:
            var buffer = ByteBuffer()
            for row in rows {
                buffer.writeBytes(row.serialised())
                buffer.writeInteger(UInt8(ascii: "\n"))
            }
            return buffer
        default:
            let page: JSONValue = ["data": .array(rows), "next": next.map { .string($0) } ?? .null]
            return ByteBuffer(bytes: page.serialised())
        }
    }

    /// RFC 4180: a header line, CRLF, quotes where they are needed; what is nested is JSON, and null is empty.
    private var csv: String {
        var text = columns.map { Self.quoted($0) }.joined(separator: ",") + "\r\n"
        for row in rows { text += columns.map { Self.cell(row[$0] ?? .null) }.joined(separator: ",") + "\r\n" }
        return text
    }

    private static func cell(_ value: JSONValue) -> String {
        switch value {
        case .null: ""
        case .string(let text): quoted(text)
        default: quoted(String(decoding: value.serialised(), as: UTF8.self))
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
