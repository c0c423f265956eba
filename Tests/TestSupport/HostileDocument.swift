internal import Contract
internal import Foundation
public import Testing

/// Documents of 16 KiB that ask for much more text than they have bytes.
public struct HostileDocument: Sendable, CustomTestStringConvertible {
    let name: String
    let type: String
    let content: String
    var isBase64 = false

    public var testDescription: String { name }

    public static let bytes = 16 << 10

    public static let all: [HostileDocument] = [
        HostileDocument(name: "CSV with a long label", type: "text/csv", content: csv(columns: 1)),
        HostileDocument(name: "CSV with thousands of columns", type: "text/csv", content: csv(columns: 2_000)),
        HostileDocument(name: "base64", type: "text/csv", content: csv(columns: 1), isBase64: true),
        HostileDocument(name: "JSON with a long path", type: "application/json", content: json),
        HostileDocument(name: "Markdown with a long heading path", type: "text/markdown", content: markdown),
        HostileDocument(name: "HTML with a long heading path", type: "text/html", content: html),
    ]

    /// A header of 8 KiB, and rows of one field: every row repeats the first label.
    private static func csv(columns: Int) -> String {
        let rest = String(repeating: ",c", count: columns - 1)
        let header = String(repeating: "x", count: bytes / 2 - rest.utf8.count) + rest + "\n"
        return header + String(repeating: "1\n", count: (bytes - header.utf8.count) / 2)
    }

    private static let json: String = {
        let start = "{\"s\":{\"" + String(repeating: "k", count: bytes / 2) + "\":{"
        let leaves = (0..<900).map { "\"\($0)\":1" }.joined(separator: ",")
        return start + leaves + "}}}"
    }()

    private static let heading = String(repeating: "h", count: 120)

    private static let markdown: String = {
        let path = (1...5).map { String(repeating: "#", count: $0) + " \(heading)\n" }.joined()
        return path + (0..<1_100).map { "###### \($0)\ny\n" }.joined()
    }()

    private static let html: String = {
        let path = (1...5).map { "<h\($0)>\(heading)</h\($0)>" }.joined()
        return path + (0..<1_100).map { "<h6>\($0)</h6>y" }.joined()
    }()

    /// As a document of a payload. A number in its title and at its end makes each of them another one.
    public func document(_ number: Int) -> String {
        let text = type == "application/json" ? content + String(repeating: " ", count: number) : content + "\n\(number)"
        let field =
            isBase64
            ? #""content_base64":"\#(base64(text))""#
            : #""content":\#(String(decoding: JSONValue.string(text).serialised(), as: UTF8.self))"#
        return #"{"external_id":"d\#(number)","title":"t","media_type":"\#(type)",\#(field)}"#
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
