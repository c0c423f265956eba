internal import API
internal import NIOCore

/// What a form has sent: texts, and at most one file.
struct FormData: Sendable {
    struct File: Sendable {
        let name: String
        let mediaType: String
        let bytes: [UInt8]
    }

    private(set) var values: [(name: String, value: String)] = []
    private(set) var file: File?

    /// Fields beyond these are not read.
    private static let mostFields = 500

    init() {}

    /// The fields of `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578); nil: it cannot be read.
    init?(_ body: ByteBuffer, contentType: String?) {
        let type = contentType ?? "application/x-www-form-urlencoded"
        if type.lowercased().hasPrefix("multipart/form-data") {
            guard let boundary = Self.parameter("boundary", of: type), (1...70).contains(boundary.utf8.count),
                readMultipart(Array(body.readableBytesView), boundary: boundary)
            else { return nil }
            return
        }
        guard let parameters = RequestTarget.parameters(Substring(String(buffer: body))) else { return nil }
        values = Array(parameters.prefix(Self.mostFields))
    }

    /// A field's text without white space at its ends; nil: it was not sent, or is empty.
    subscript(_ name: String) -> String? {
        guard let text = values.first(where: { $0.name == name })?.value.trimmed, !text.isEmpty else { return nil }
        return text
    }

    /// A field's text as it was typed.
    func raw(_ name: String) -> String? { values.first { $0.name == name }?.value }

    func all(_ name: String) -> [String] { values.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }

    // MARK: Parts

    private mutating func readMultipart(_ bytes: [UInt8], boundary: String) -> Bool {
        let delimiter = Array("--\(boundary)".utf8)
        guard var start = Self.find(delimiter, in: bytes, from: 0) else { return false }
        var fields = 0
        while true {
            start += delimiter.count
            if bytes[start...].starts(with: Array("--".utf8)) { return true }
            guard fields < Self.mostFields, bytes[start...].starts(with: [13, 10]),
                let end = Self.find([13, 10] + delimiter, in: bytes, from: start),
                let headEnd = Self.find([13, 10, 13, 10], in: bytes, from: start), headEnd <= end
            else { return false }
            fields += 1
            let content = headEnd + 4 <= end ? bytes[(headEnd + 4)..<end] : []
            guard read(head: String(decoding: bytes[(start + 2)..<max(start + 2, headEnd)], as: UTF8.self), content) else {
                return false
            }
            start = end + 2
        }
    }

    private mutating func read(head: String, _ content: ArraySlice<UInt8>) -> Bool {
        var disposition = ""
        var type = "application/octet-stream"
        for line in head.split(separator: "\r\n") {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2 else { continue }
            switch halves[0].lowercased() {
            case "content-disposition": disposition = halves[1].trimmed
            case "content-type": type = halves[1].trimmed
            default: break
            }
        }
        guard let name = Self.parameter("name", of: disposition) else { return false }
        if let fileName = Self.parameter("filename", of: disposition) {
            if file == nil, !fileName.isEmpty { file = File(name: fileName, mediaType: type, bytes: Array(content)) }
            return true
        }
        guard let text = String(validating: content, as: UTF8.self), !text.utf8.contains(0) else { return false }
        values.append((name, text))
        return true
    }

    /// A parameter of a header, with its quotes taken away. Browsers write a quote in it as `%22`.
    private static func parameter(_ name: String, of header: String) -> String? {
        var rest = header[...]
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...]
            let item = rest.drop { $0 == " " }
            guard item.lowercased().hasPrefix(name + "=") else { continue }
            let value = item.dropFirst(name.count + 1)
            guard value.hasPrefix("\"") else { return value.prefix { $0 != ";" }.trimmed }
            return String(value.dropFirst().prefix { $0 != "\"" }).replacing("%22", with: "\"")
        }
        return nil
    }

    /// Where some bytes begin, at a place or behind it.
    private static func find(_ wanted: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= wanted.count, start <= bytes.count - wanted.count else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            var place = start
            while place <= bytes.count - wanted.count {
                if bytes[place] == wanted[0] {
                    var length = 1
                    while length < wanted.count, bytes[place + length] == wanted[length] { length += 1 }
                    if length == wanted.count { return place }
                }
                place += 1
            }
            return nil
        }
    }
}
