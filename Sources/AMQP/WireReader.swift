/// Reads AMQP's big-endian encoding. Every read is bounds-checked and returns nil at the end, so that no length on the wire is trusted.
struct WireReader {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
        guard rest.count >= MemoryLayout<Value>.size else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: Value.self)
        rest = rest.dropFirst(MemoryLayout<Value>.size)
        return Value(bigEndian: value)
    }

    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    mutating func shortBytes() -> UnsafeRawBufferPointer? {
        guard let count = integer(UInt8.self) else { return nil }
        return bytes(Int(count))
    }

    mutating func longBytes() -> UnsafeRawBufferPointer? {
        guard let count = integer(UInt32.self) else { return nil }
        return bytes(Int(count))
    }

    /// The raw value after its kind byte; without length prefix for texts, arrays and tables.
    mutating func value(of kind: UInt8) -> UnsafeRawBufferPointer? {
        switch kind {
        case UInt8(ascii: "S"), UInt8(ascii: "x"), UInt8(ascii: "A"), UInt8(ascii: "F"): longBytes()
        case UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "B"): bytes(1)
        case UInt8(ascii: "s"), UInt8(ascii: "u"): bytes(2)
        case UInt8(ascii: "I"), UInt8(ascii: "i"), UInt8(ascii: "f"): bytes(4)
        case UInt8(ascii: "D"): bytes(5)
        case UInt8(ascii: "l"), UInt8(ascii: "L"), UInt8(ascii: "d"), UInt8(ascii: "T"): bytes(8)
        case UInt8(ascii: "V"): bytes(0)
        default: nil
        }
    }
}

extension FieldTable {
    /// Tables and arrays within each other that are read; what lies deeper stays as it is, so that no sender decides how deep our stack goes.
    static let mostLevels = 100

    /// Decodes the entries of a table; stops at the first byte that is no AMQP.
    init(wire: UnsafeRawBufferPointer, level: Int = 0) {
        self.init()
        var reader = WireReader(wire)
        while let name = reader.shortBytes(), let kind = reader.integer(UInt8.self), let value = reader.value(of: kind) {
            append(wireName: name, FieldValue(kind: kind, wire: value, level: level))
        }
    }
}

extension FieldValue {
    /// Decodes one value whose bytes `WireReader.value(of:)` has cut out.
    init(kind: UInt8, wire: UnsafeRawBufferPointer, level: Int = 0) {
        var reader = WireReader(wire)
        switch kind {
        case UInt8(ascii: "S"): self = String(validating: wire, as: UTF8.self).map(FieldValue.text) ?? .rawText(Array(wire))
        case UInt8(ascii: "x"): self = .bytes(Array(wire))
        case UInt8(ascii: "t"): self = .bool(wire[0] != 0)
        case UInt8(ascii: "T"): self = .timestamp(reader.integer(UInt64.self) ?? 0)
        case UInt8(ascii: "F") where level >= FieldTable.mostLevels, UInt8(ascii: "A") where level >= FieldTable.mostLevels:
            self = .unread(kind: kind, bytes: Array(wire))
        case UInt8(ascii: "F"): self = .table(FieldTable(wire: wire, level: level + 1))
        case UInt8(ascii: "A"):
            var values: [FieldValue] = []
            while let kind = reader.integer(UInt8.self), let value = reader.value(of: kind) {
                values.append(FieldValue(kind: kind, wire: value, level: level + 1))
            }
            self = .array(values)
        case UInt8(ascii: "l"): self = .int(reader.integer(Int64.self) ?? 0)
        case UInt8(ascii: "d"): self = .double(Double(bitPattern: reader.integer(UInt64.self) ?? 0))
        case UInt8(ascii: "V"): self = .null
        default: self = .number(kind: kind, bits: wire.reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    /// The value of an integer kind, or nil if the kind is another (or the value unsigned and beyond Int64).
    static func integer(kind: UInt8, wire: UnsafeRawBufferPointer) -> Int64? {
        var reader = WireReader(wire)
        return switch kind {
        case UInt8(ascii: "b"): reader.integer(Int8.self).map(Int64.init)
        case UInt8(ascii: "B"): reader.integer(UInt8.self).map(Int64.init)
        case UInt8(ascii: "s"): reader.integer(Int16.self).map(Int64.init)
        case UInt8(ascii: "u"): reader.integer(UInt16.self).map(Int64.init)
        case UInt8(ascii: "I"): reader.integer(Int32.self).map(Int64.init)
        case UInt8(ascii: "i"): reader.integer(UInt32.self).map(Int64.init)
        case UInt8(ascii: "l"): reader.integer(Int64.self)
        case UInt8(ascii: "L"): reader.integer(UInt64.self).flatMap(Int64.init(exactly:))
        default: nil
        }
    }
}
