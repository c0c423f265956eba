extension Rows {
    /// Text types as they are, jsonb as JSON text, uuid in its usual form, whole numbers in decimal.
    public func text(_ row: Int, _ column: Int) -> String {
        let bytes = present(row, column)
        switch type(column) {
        case TypeOID.jsonb: return String(decoding: bytes.dropFirst(), as: UTF8.self)
        case TypeOID.uuid: return Self.uuid(bytes)
        case TypeOID.int2, TypeOID.int4, TypeOID.int8, TypeOID.oid: return String(int(row, column))
        default: return String(decoding: bytes, as: UTF8.self)
        }
    }

    public func optionalText(_ row: Int, _ column: Int) -> String? { isNull(row, column) ? nil : text(row, column) }

    /// `int2`, `int4`, `int8`, `oid`, or a `numeric` without a fraction (what `sum(bigint)` gives).
    public func int(_ row: Int, _ column: Int) -> Int64 {
        let bytes = present(row, column)
        switch type(column) {
        case TypeOID.int8: return bytes.bigEndian(0, Int64.self)
        case TypeOID.int4: return Int64(bytes.bigEndian(0, Int32.self))
        case TypeOID.int2: return Int64(bytes.bigEndian(0, Int16.self))
        case TypeOID.oid: return Int64(bytes.bigEndian(0, UInt32.self))
        case TypeOID.numeric: return Numeric(bytes).integer
        default: preconditionFailure("column \(column) has type \(type(column)), which is no integer")
        }
    }

    public func optionalInt(_ row: Int, _ column: Int) -> Int64? { isNull(row, column) ? nil : int(row, column) }

    public func bool(_ row: Int, _ column: Int) -> Bool {
        precondition(type(column) == TypeOID.bool, "column \(column) is no boolean")
        return present(row, column)[0] != 0
    }

    /// `float8`, `float4`, `numeric` (rounded) or an integer.
    public func double(_ row: Int, _ column: Int) -> Double {
        let bytes = present(row, column)
        switch type(column) {
        case TypeOID.float8: return Double(bitPattern: bytes.bigEndian(0, UInt64.self))
        case TypeOID.float4: return Double(Float(bitPattern: bytes.bigEndian(0, UInt32.self)))
        case TypeOID.numeric: return Numeric(bytes).double
        default: return Double(int(row, column))
        }
    }

    /// `timestamptz`; `timestamp` and `date` are taken as UTC.
    public func timestamp(_ row: Int, _ column: Int) -> Timestamp {
        let bytes = present(row, column)
        switch type(column) {
        case TypeOID.timestamptz, TypeOID.timestamp:
            return Timestamp(wire: bytes.bigEndian(0, Int64.self))
        case TypeOID.date:
            let days = bytes.bigEndian(0, Int32.self)
            if days == .max { return .distantFuture }
            if days == .min { return .distantPast }
            return Timestamp(wire: Int64(days) * 86_400_000_000)
        default: preconditionFailure("column \(column) is no point in time")
        }
    }

    public func optionalTimestamp(_ row: Int, _ column: Int) -> Timestamp? { isNull(row, column) ? nil : timestamp(row, column) }

    /// A copy of the value's bytes: a `bytea`, or any other type as it is on the wire.
    public func bytes(_ row: Int, _ column: Int) -> [UInt8] { [UInt8](present(row, column)) }

    private static func uuid(_ bytes: UnsafeRawBufferPointer) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (position, byte) in bytes.enumerated() {
            if position == 4 || position == 6 || position == 8 || position == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// A `numeric` on the wire: digits to base 10,000, the first weighing 10,000 to the power of `weight`.
/// Source: `numeric_send` in PostgreSQL's `numeric.c`.
private struct Numeric {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var digitCount: Int { Int(bytes.bigEndian(0, UInt16.self)) }
    private var weight: Int { Int(bytes.bigEndian(2, Int16.self)) }
    private var sign: UInt16 { bytes.bigEndian(4, UInt16.self) }
    private func digit(_ position: Int) -> Int16 { bytes.bigEndian(8 + 2 * position, Int16.self) }

    var integer: Int64 {
        precondition(sign == 0 || sign == 0x4000, "a numeric that is no finite number")
        precondition(digitCount <= weight + 1, "a numeric with a fraction, read as an integer")
        guard digitCount > 0 else { return 0 }
        var value: Int64 = 0
        for position in 0...weight {
            // Counted downwards, because the negative range is the larger one.
            value = value * 10_000 - (position < digitCount ? Int64(digit(position)) : 0)
        }
        return sign == 0x4000 ? value : -value
    }

    var double: Double {
        switch sign {
        case 0xC000: return .nan
        case 0xD000: return .infinity
        case 0xF000: return -.infinity
        default: break
        }
        var value = 0.0
        for position in 0..<digitCount { value = value * 10_000 + Double(digit(position)) }
        // Dividing by an exact power of ten rounds once; multiplying by its inverse would round twice.
        let exponent = weight + 1 - digitCount
        var scale = 1.0
        for _ in 0..<abs(exponent) { scale *= 10_000 }
        value = exponent < 0 ? value / scale : value * scale
        return sign == 0x4000 ? -value : value
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ type: Value.Type) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
