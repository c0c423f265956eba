internal import AMQP

/// A header as it stands on the wire, written and read without the code under test.
struct WireField: Hashable, CustomStringConvertible {
    let name: [UInt8]
    let kind: UInt8
    /// Of texts, arrays and tables without their length.
    let value: [UInt8]

    init(_ name: [UInt8], _ kind: Character, _ value: [UInt8]) {
        self.name = name
        self.kind = kind.asciiValue!
        self.value = value
    }

    init(_ name: String, _ kind: Character, _ value: [UInt8]) { self.init(Array(name.utf8), kind, value) }

    var description: String { "\(String(decoding: name, as: UTF8.self)) \(Character(UnicodeScalar(kind))) \(value.prefix(16))" }

    private static let long = Set("SxAF".utf8)
    private static let sizes: [Character: Int] = [
        "t": 1, "b": 1, "B": 1, "s": 2, "u": 2, "I": 4, "i": 4, "f": 4, "D": 5, "l": 8, "L": 8, "d": 8, "T": 8, "V": 0,
    ]

    static func length(_ count: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) } }

    static func table(_ fields: [WireField]) -> [UInt8] {
        fields.flatMap { field in
            [UInt8(field.name.count)] + field.name + [field.kind] + (long.contains(field.kind) ? length(field.value.count) : [])
                + field.value
        }
    }

    static func read(_ table: [UInt8]) -> [WireField] {
        var rest = table[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var fields: [WireField] = []
        while !rest.isEmpty {
            let name = take(Int(take(1)[0]))
            let kind = Character(UnicodeScalar(take(1)[0]))
            let size = sizes[kind] ?? take(4).reduce(0) { $0 << 8 | Int($1) }
            fields.append(WireField(name, kind, take(size)))
        }
        return fields
    }

    /// Arrays within each other, the innermost empty: what lies in the outermost.
    static func nested(levels: Int) -> [UInt8] {
        (0..<levels - 1).reversed().flatMap { [UInt8(ascii: "A")] + length($0 * 5) }
    }

    /// One of each kind that a broker passes on, and what clients write that do not keep to the rules.
    static let strange = [
        WireField("decimal", "D", [2, 0, 0, 0x30, 0x39]), WireField("int32", "I", [0xFF, 0xFF, 0xFF, 0xFB]),
        WireField("uint32", "i", [0xEE, 0x6B, 0x28, 0]), WireField("int16", "s", [0x80, 0]),
        WireField("uint16", "u", [0xFF, 0xFF]), WireField("int8", "b", [0x80]), WireField("uint8", "B", [0xFF]),
        WireField("float", "f", [0x3F, 0xC0, 0, 0]), WireField("double", "d", [0x3F, 0xF8, 0, 0, 0, 0, 0, 0]),
        WireField("int64", "l", [0x80, 0, 0, 0, 0, 0, 0, 0]), WireField("time", "T", [0, 0, 0, 0, 0x65, 0x53, 0xF1, 0]),
        WireField("flag", "t", [1]), WireField("null", "V", []), WireField("bytes", "x", [0, 0xFF]),
        WireField("no utf-8", "S", [0xFF, 0xFE, 0x41]), WireField([0xC3, 0x28], "S", [0x41]),
        WireField("twice", "S", [0x41]), WireField("twice", "I", [0, 0, 0, 1]),
        WireField("table", "F", table([WireField("deep", "D", [0, 0, 0, 0, 7]), WireField("list", "A", nested(levels: 3))])),
        WireField("well", "A", nested(levels: 2_000)),
        WireField(
            "maze", "F",
            (0..<40).reduce(table([WireField("end", "u", [0, 1])])) { inner, _ in
                table([WireField("a", "F", inner), WireField("b", "I", [1, 2, 3, 4])])
            }),
    ]
}
