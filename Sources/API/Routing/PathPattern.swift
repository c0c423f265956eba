/// A path with names in braces, such as `/v1/tenants/{slug}/documents/{external_id}`.
package struct PathPattern: Sendable, Hashable {
    package enum Segment: Sendable, Hashable {
        case literal(String)
        case name(String)
    }

    package let text: String
    package let segments: [Segment]

    package init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/").map { part in
            part.hasPrefix("{") && part.hasSuffix("}")
                ? .name(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The names in braces, in order.
    package var names: [String] {
        segments.compactMap { if case .name(let name) = $0 { name } else { nil } }
    }

    /// The values of the names; nil if the path is another one.
    ///
    /// - Parameter parts: the path's segments, decoded.
    package func match(_ parts: [String]) -> [String: String]? {
        guard parts.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            switch segment {
            case .literal(let text): if text != part { return nil }
            case .name(let name):
                if part.isEmpty { return nil }
                values[name] = part
            }
        }
        return values
    }
}

/// What stands before and after the `?` of a request's target, percent-decoded. Each must be UTF-8 without NUL, which PostgreSQL's texts cannot
/// hold.
package enum RequestTarget {
    /// The segments of a path; nil if it cannot be decoded. A `%2F` is a part of its segment.
    package static func segments(_ path: Substring) -> [String]? {
        guard path.hasPrefix("/") else { return nil }
        var parts: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = decode(part.utf8, plusIsSpace: false) else { return nil }
            parts.append(decoded)
        }
        return parts
    }

    /// The parameters of a query, in order; nil if one cannot be decoded.
    package static func parameters(_ query: Substring) -> [(name: String, value: String)]? {
        var parameters: [(String, String)] = []
        for part in query.split(separator: "&") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(halves[0].utf8, plusIsSpace: true),
                let value = halves.count == 2 ? decode(halves[1].utf8, plusIsSpace: true) : ""
            else { return nil }
            parameters.append((name, value))
        }
        return parameters
    }

    private static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    /// A name as a segment of a path.
    package static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
