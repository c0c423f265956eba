internal import Contract
internal import HTML

/// Values as people read them.
enum Format {
    /// `1,234,567`
    static func number(_ number: Int64) -> String {
        var digits = String(number.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// `12.3` or `1,234`
    static func real(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        if abs(value) >= 100 { return number(Int64(value.rounded())) }
        let tenths = Int64((value * 10).rounded())
        return tenths % 10 == 0
            ? number(tenths / 10) : "\(tenths < 0 ? "−" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    /// `42 %`
    static func percent(_ share: Double) -> String { "\(real(share * 100)) %" }

    /// `2.3 MB`
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1_000, unit < units.count - 1 { (value, unit) = (value / 1_000, unit + 1) }
        return "\(real(value)) \(units[unit])"
    }

    /// `4 s`, `3 min`, `2 h`, `5 days`
    static func seconds(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.95: "\(Int64((seconds * 1_000).rounded())) ms"
        case ..<100: "\(real(seconds)) s"
        case ..<7_200: "\(Int64(seconds / 60)) min"
        case ..<172_800: "\(Int64(seconds / 3_600)) h"
        default: "\(Int64(seconds / 86_400)) days"
        }
    }

    /// `1 tenant`, `2 tenants`
    static func count(_ number: Int64, _ noun: String, _ plural: String? = nil) -> String {
        "\(Self.number(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// What somebody else has written: in a direction of its own, and with characters shown that would hide or turn what they stand beside.
    static func written(_ text: String) -> HTML {
        guard text.unicodeScalars.contains(where: HTML.isDeceptive) else { return bdi { text } }
        var html = HTML()
        var plain = ""
        for scalar in text.unicodeScalars {
            guard HTML.isDeceptive(scalar) else {
                plain.unicodeScalars.append(scalar)
                continue
            }
            html.append(HTML(text: plain))
            plain = ""
            let code = "U+" + String(scalar.value, radix: 16, uppercase: true)
            html.append(span(.class("invisible"), .title("An invisible character, \(code)")) { code })
        }
        html.append(HTML(text: plain))
        return bdi { html }
    }
}

extension Format {
    /// The beginning of what somebody else has written, so that a page stays a page; the whole of it is in the page's JSON.
    ///
    /// - Parameter most: UTF-8 bytes.
    static func beginning(of text: String, most: Int) -> HTML {
        guard text.utf8.count > most else { return written(text) }
        return HTML {
            written(String(decoding: text.utf8.prefix(most), as: UTF8.self))
            small { " … It goes on: as JSON all of it." }
        }
    }
}

extension JSONValue {
    /// A member's text.
    func text(_ name: String) -> String? { self[name]?.text }

    /// A member's whole number, also where it is beyond 2^53 and so a string.
    func int(_ name: String) -> Int64? { self[name]?.int }

    func real(_ name: String) -> Double? {
        switch self[name] {
        case .int(let number)?: Double(number)
        case .double(let number)?: number
        default: nil
        }
    }

    func flag(_ name: String) -> Bool { self[name] == .bool(true) }

    func items(_ name: String) -> [JSONValue] {
        guard case .array(let items)? = self[name] else { return [] }
        return items
    }

    func texts(_ name: String) -> [String] { items(name).compactMap(\.text) }

    var int: Int64? {
        switch self {
        case .int(let number): number
        case .string(let digits): Int64(digits)
        default: nil
        }
    }

    /// With two spaces for each level, members by name; marks that would hide or turn what they stand beside are written as escapes.
    var indented: String {
        var text = ""
        for scalar in indented(0).unicodeScalars {
            if HTML.isDeceptive(scalar) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private func indented(_ level: Int) -> String {
        let (inner, outer) = (String(repeating: "  ", count: level + 1), String(repeating: "  ", count: level))
        switch self {
        case .array(let items) where !items.isEmpty:
            return "[\n" + items.map { inner + $0.indented(level + 1) }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members) where !members.isEmpty:
            let lines = members.sorted { $0.key < $1.key }.map { name, value in
                inner + String(decoding: JSONValue.string(name).serialised(), as: UTF8.self) + ": " + value.indented(level + 1)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        default: return String(decoding: serialised(), as: UTF8.self)
        }
    }
}
