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

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// An AMQP table: names with values, in the order of the wire.
public struct FieldTable: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public private(set) var entries: [(name: String, value: FieldValue)]

    public init(_ entries: [(String, FieldValue)] = []) {
        self.entries = entries.map { (name: $0.0, value: $0.1) }
    }

    public init(dictionaryLiteral elements: (String, FieldValue)...) { self.init(elements) }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }

    /// The value under a name. Setting keeps the place of an entry that is there, appends a new one, and `nil` removes it.
    public subscript(name: String) -> FieldValue? {
        get { entries.first { $0.name == name }?.value }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((name, value))
            case (nil, nil): break
            }
        }
    }

    mutating func append(_ name: String, _ value: FieldValue) { entries.append((name, value)) }

    public static func == (left: FieldTable, right: FieldTable) -> Bool {
        left.entries.elementsEqual(right.entries) { $0.name == $1.name && $0.value == $1.value }
    }
}
