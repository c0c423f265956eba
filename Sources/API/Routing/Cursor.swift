internal import Contract
internal import Crypto
internal import Foundation

/// Where a list goes on: the values of its order's columns in the last row of a page, opaque to the client. It holds for its list, with the
/// same filters, and for the same account.
struct Cursor {
    let list: String

    /// - Parameters:
    ///   - path: the request's, with its names.
    ///   - account: whose list it is.
    init(path: String, query: Query, account: String?) {
        let digest = SHA256.hash(data: Data("\(path)\u{3}\(query.identity)\u{3}\(account ?? "")".utf8))
        list = digest.prefix(9).map { String($0, radix: 36) }.joined(separator: ".")
    }

    func text(_ position: [String]) -> String {
        let json = JSONValue.array(([list] + position).map { .string($0) })
        return Data(json.serialised()).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// - Throws: `Problem` (400) for a text that is none of this list's cursors.
    func position(_ text: String) throws(Problem) -> [String] {
        var padded = text.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        // Whatever is wrong with it, it is no cursor of this list.
        guard text.utf8.count <= 4_096, let data = Data(base64Encoded: padded),
            case .array(let values)? = try? JSONValue(parsing: Array(data)), values.first == .string(list)
        else { throw .parameter("cursor", "is none of this list's, with these filters") }
        return values.dropFirst().compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}
