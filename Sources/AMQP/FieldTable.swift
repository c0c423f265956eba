/// A value in an AMQP table, such as a header.
///
/// What is read is written as the same bytes again. `int` is a signed integer of 64 bits (`l`), `double` one of 64 bits (`d`), `text` a UTF-8 long
/// string (`S`), `bytes` a byte array (`x`); ``number(kind:bits:)`` is every other kind of number. Source: AMQP 0-9-1 section 4.2.1 with
/// [RabbitMQ's table field types](https://www.rabbitmq.com/amqp-0-9-1-errata.html#section_3).
public enum FieldValue: Sendable, Equatable {
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    /// A long string (`S`) that is not UTF-8.
    case rawText([UInt8])
    case bytes([UInt8])
    /// A number of another kind, by its letter on the wire: integers `b`, `B`, `s`, `u`, `I`, `i`, `L`, a float `f`, a decimal `D`; its bytes as one
    /// unsigned integer.
    case number(kind: UInt8, bits: UInt64)
    /// Seconds since 1970-01-01T00:00:00Z.
    case timestamp(UInt64)
    case array([FieldValue])
    case table(FieldTable)
    /// A table (`F`) or an array (`A`) that lies too deep within others to be read, by its letter: the bytes of what is within.
    case unread(kind: UInt8, bytes: [UInt8])
    case null
}

extension FieldValue {
    /// The value, if it is an integer of any kind that fits.
    public var integer: Int64? {
        guard case .number(let kind, let bits) = self else {
            if case .int(let value) = self { return value }
            return nil
        }
        return switch kind {
        case UInt8(ascii: "b"): Int64(Int8(truncatingIfNeeded: bits))
        case UInt8(ascii: "s"): Int64(Int16(truncatingIfNeeded: bits))
        case UInt8(ascii: "I"): Int64(Int32(truncatingIfNeeded: bits))
        case UInt8(ascii: "B"), UInt8(ascii: "u"), UInt8(ascii: "i"), UInt8(ascii: "L"): Int64(exactly: bits)
        default: nil
        }
    }
}

extension FieldValue {
    /// The value, if it is a number of any kind: an integer rounded where it has more than 53 bits.
    public var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .number(UInt8(ascii: "f"), let bits): Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .number(UInt8(ascii: "D"), let bits):
            (0..<(bits >> 32)).reduce(Double(UInt32(truncatingIfNeeded: bits))) { value, _ in value / 10 }
        case .number(UInt8(ascii: "L"), let bits): Double(bits)
        default: integer.map { Double($0) }
        }
    }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// An AMQP table: names with values, in the order of the wire. A name may stand there more than once; the first counts.
public struct FieldTable: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    struct Entry: Sendable, Equatable {
        var name: String
        /// The name as it came, where it is not UTF-8.
        var rawName: [UInt8]?
        var value: FieldValue
    }

    private(set) var storage: [Entry] = []

    /// Names and values; a name that is not UTF-8 is repaired.
    public var entries: [(name: String, value: FieldValue)] { storage.map { (name: $0.name, value: $0.value) } }

    public init(_ entries: [(String, FieldValue)] = []) {
        storage = entries.map { Entry(name: $0.0, value: $0.1) }
    }

    public init(dictionaryLiteral elements: (String, FieldValue)...) { self.init(elements) }

    public var isEmpty: Bool { storage.isEmpty }
    public var count: Int { storage.count }

    /// The value under a name. Setting keeps the place of an entry that is there, or appends a new one; what is set stands there once. `nil`
    /// removes every entry of that name.
    public subscript(name: String) -> FieldValue? {
        get { storage.first { $0.isNamed(name) }?.value }
        set {
            guard let newValue else { return storage.removeAll { $0.isNamed(name) } }
            guard let index = storage.firstIndex(where: { $0.isNamed(name) }) else {
                return storage.append(Entry(name: name, value: newValue))
            }
            storage[index].value = newValue
            guard storage[(index + 1)...].contains(where: { $0.isNamed(name) }) else { return }
            storage = storage[...index] + storage[(index + 1)...].filter { !$0.isNamed(name) }
        }
    }

    mutating func append(wireName: UnsafeRawBufferPointer, _ value: FieldValue) {
        if let name = String(validating: wireName, as: UTF8.self) {
            storage.append(Entry(name: name, value: value))
        } else {
            storage.append(Entry(name: String(decoding: wireName, as: UTF8.self), rawName: Array(wireName), value: value))
        }
    }
}

extension FieldTable.Entry {
    init(name: String, value: FieldValue) {
        self.init(name: name, rawName: nil, value: value)
    }

    func isNamed(_ other: String) -> Bool { rawName == nil && name == other }
}
