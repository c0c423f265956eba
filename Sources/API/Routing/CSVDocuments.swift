internal import Contract
internal import Crypto

/// Documents out of the rows of a CSV file (RFC 4180): a header line with `title`, `content`, and `external_id`, `segment`, `priority`, `tags` where
/// wanted. A row without an `external_id` has one that follows from its title, so that the same file brings the same documents up to date.
enum CSVDocuments {
    private static let columns = ["external_id", "title", "content", "segment", "priority", "tags"]

    /// - Throws: `Rejection` (`invalid_payload`), with the line that is wrong.
    static func read(_ bytes: [UInt8]) throws(Rejection) -> [JSONValue] {
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw Rejection(.malformedJSON, "the body is not UTF-8 without NUL")
        }
        var rest = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        var line = 1
        guard let header = try row(&rest, &line)?.map({ $0.trimmed.lowercased() }) else {
            throw .invalid("", "the file is empty: its first line names the columns")
        }
        for name in header where !columns.contains(name) {
            throw .invalid("", "line 1: there is no column \(name.prefix(40)); there are \(columns.joined(separator: ", "))")
        }
        for name in ["title", "content"] where !header.contains(name) {
            throw .invalid("", "line 1: the column \(name) is missing")
        }
        guard Set(header).count == header.count else { throw .invalid("", "line 1: a column stands there twice") }
        var documents: [JSONValue] = []
        while !rest.isEmpty {
            let first = line
            guard let cells = try row(&rest, &line) else { break }
            if cells == [""] { continue }
            guard cells.count == header.count else {
                throw .invalid("", "line \(first): \(cells.count) cells instead of \(header.count)")
            }
            guard documents.count < 1_000 else { throw .invalid("", "line \(first): a file has at most 1000 rows") }
            documents.append(try document(Dictionary(uniqueKeysWithValues: zip(header, cells)), line: first))
        }
        return documents
    }

    private static func document(_ cells: [String: String], line: Int) throws(Rejection) -> JSONValue {
        let title = cells["title"] ?? ""
        var document: [String: JSONValue] = [
            "title": .string(title), "content": .string(cells["content"] ?? ""), "media_type": "text/plain",
        ]
        if let id = cells["external_id"], !id.isEmpty {
            document["external_id"] = .string(id)
        } else {
            let digest = SHA256.hash(data: Array(title.utf8)).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
                .joined()
            document["external_id"] = .string("row-\(digest)")
        }
        if let segment = cells["segment"], !segment.isEmpty { document["segment"] = .string(segment) }
        if let text = cells["priority"], !text.isEmpty {
            guard let priority = Int64(text.trimmed) else { throw .invalid("", "line \(line): the priority is no whole number") }
            document["priority"] = .int(priority)
        }
        if let tags = cells["tags"], !tags.isEmpty {
            document["tags"] = .array(tags.split { $0 == "," || $0 == ";" }.map { .string($0.trimmed) })
        }
        return .object(document)
    }

    /// The cells of the next row; nil at the end.
    private static func row(_ rest: inout ArraySlice<UInt8>, _ line: inout Int) throws(Rejection) -> [String]? {
        guard !rest.isEmpty else { return nil }
        let first = line
        var cells: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\"") where isQuoted:
                if rest.first == UInt8(ascii: "\"") { cell.append(rest.removeFirst()) } else { isQuoted = false }
            case UInt8(ascii: "\"") where cell.isEmpty: isQuoted = true
            case UInt8(ascii: ",") where !isQuoted:
                cells.append(String(decoding: cell, as: UTF8.self))
                cell = []
            case 13 where !isQuoted && (rest.isEmpty || rest.first == 10): break
            case 10:
                line += 1
                guard isQuoted else {
                    cells.append(String(decoding: cell, as: UTF8.self))
                    return cells
                }
                cell.append(byte)
            default: cell.append(byte)
            }
        }
        guard !isQuoted else { throw .invalid("", "line \(first): a quote is not closed") }
        cells.append(String(decoding: cell, as: UTF8.self))
        return cells
    }
}
