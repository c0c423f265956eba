extension JSONValue {
    /// JSON in UTF-8 without white space; names in order, so that equal values are equal bytes.
    public func serialised() -> [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// How long PostgreSQL's text of the value is as `jsonb`: with a blank after each comma and colon, and numbers without exponents.
    var storedBytes: Int {
        switch self {
        case .null, .bool(true): 4
        case .bool(false): 5
        case .int(let value): String(value).utf8.count
        case .double(let value):
            "\(value)".utf8.count
                + (value.magnitude >= 1e16 || value.magnitude < 1e-4 ? Int(abs(Double(value.exponent)) * 0.302) : 0)
        case .string: serialised().count
        case .array(let elements): 2 + elements.reduce(0) { $0 + $1.storedBytes } + 2 * max(0, elements.count - 1)
        case .object(let members):
            2 + members.reduce(0) { $0 + JSONValue.string($1.key).storedBytes + 2 + $1.value.storedBytes }
                + 2 * max(0, members.count - 1)
        }
    }

    /// The same of settings, whose names and values stand in columns of their own. One that is null is none.
    static func storedBytes(ofSettings settings: [String: JSONValue]) -> Int {
        settings.reduce(0) { $0 + ($1.value == .null ? 0 : $1.key.utf8.count + $1.value.storedBytes) }
    }

    /// JSON for people: two spaces a level, names in order.
    public func pretty() -> String {
        var output: [UInt8] = []
        append(to: &output, level: 0)
        return String(decoding: output, as: UTF8.self)
    }

    /// - Parameter level: how deep the lines are indented; nil puts everything on one line.
    func append(to output: inout [UInt8], level: Int? = nil) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): output.append(contentsOf: String(value).utf8)
        case .double(let value): output.append(contentsOf: (value.isFinite ? "\(value)" : "null").utf8)
        case .string(let value): output.appendJSON(value)
        case .array(let elements):
            output.appendList("[", "]", elements, level) { output, element, level in element.append(to: &output, level: level) }
        case .object(let members):
            let ordered = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            output.appendList("{", "}", ordered, level) { output, member, level in
                output.appendJSON(member.key)
                output.append(contentsOf: (level == nil ? ":" : ": ").utf8)
                member.value.append(to: &output, level: level)
            }
        }
    }
}

extension [UInt8] {
    /// A JSON string with its quotes.
    mutating func appendJSON(_ text: String) {
        append(Ascii.quote)
        var text = text
        text.withUTF8 { appendJSONEscaped(UnsafeRawBufferPointer($0)) }
        append(Ascii.quote)
    }

    /// What stands between a JSON string's quotes, from text in UTF-8.
    mutating func appendJSONEscaped(_ text: UnsafeRawBufferPointer) {
        for byte in text {
            switch byte {
            case Ascii.quote, Ascii.backslash:
                append(Ascii.backslash)
                append(byte)
            case 0x0A: append(contentsOf: "\\n".utf8)
            case 0x0D: append(contentsOf: "\\r".utf8)
            case 0x09: append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                append(contentsOf: byte < 16 ? "\\u000".utf8 : "\\u00".utf8)
                append(contentsOf: String(byte, radix: 16).utf8)
            default: append(byte)
            }
        }
    }

    mutating func appendList<Member>(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ elements: [Member], _ level: Int?,
        _ appendElement: (inout [UInt8], Member, Int?) -> Void
    ) {
        append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { append(Ascii.comma) }
            if let level { appendLine(level + 1) }
            appendElement(&self, element, level.map { $0 + 1 })
        }
        if let level, !elements.isEmpty { appendLine(level) }
        append(UInt8(ascii: close))
    }

    private mutating func appendLine(_ level: Int) {
        append(0x0A)
        append(contentsOf: repeatElement(0x20, count: level * 2))
    }
}
