internal import CLibRabbitMQ
internal import Glibc

@testable internal import AMQP

extension FuzzTarget {
    /// The headers of a message as they come over the wire: what librabbitmq takes we read as the same, and what we write we read again.
    static let table = FuzzTarget("table") { input in
        _ = input.withUnsafeBytes { FieldTable(wire: $0) }
        return 0
    } check: { input in
        let table = input.withUnsafeBytes { FieldTable(wire: $0) }
        expect(levels(.table(table)) <= FieldTable.mostLevels + 2, "tables within each other without end")
        // What reaches beyond the length that it states is read by the library as far as its own lengths go.
        let whole = isWhole(input)
        if whole, let theirs = libraryTable(input) {
            expect(same(.table(theirs), .table(table)), "the library reads another table")
        }
        checkWriting(table, of: whole && !hasOddBool(input) ? input : nil)
    }

    /// The properties of a message, as the header frame brings them.
    static let properties = FuzzTarget("properties") { input in
        guard let delivery = delivery(input) else { return 0 }
        _ = delivery.properties
        _ = delivery.headerInt("x-delivery-count")
        _ = delivery.header("authorization")
        return 0
    } check: { input in
        guard let delivery = delivery(input) else { return }
        let properties = delivery.properties
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4_096)
        defer { empty_amqp_pool(&pool) }
        input.withUnsafeBytes { bytes in
            // The lowest bit says that more flags follow; class basic has none, and the broker sends none.
            guard bytes.count >= 2, bytes[1] & 1 == 0 else { return }
            var decoded: UnsafeMutableRawPointer?
            let encoded = amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            guard amqp_decode_properties(60, &pool, encoded, &decoded) == 0, let decoded else { return }
            let theirs = decoded.load(as: amqp_basic_properties_t.self)
            let hasHeaders = theirs._flags & amqp_flags_t(PropertyField.headers.rawValue) != 0
            // Where the headers do not end as they say, the library has read what follows as theirs.
            if hasHeaders, PropertyField.headers.find(in: bytes).map({ isWhole(Array($0)) }) != true { return }
            func expectSame(_ field: PropertyField, _ text: String?, _ bytes: amqp_bytes_t) {
                let isThere = theirs._flags & amqp_flags_t(field.rawValue) != 0
                expect(text == (isThere ? bytes.text : nil), "the library reads another \(field)")
            }
            expectSame(.contentType, properties.contentType, theirs.content_type)
            expectSame(.correlationID, properties.correlationID, theirs.correlation_id)
            expectSame(.replyTo, properties.replyTo, theirs.reply_to)
            expectSame(.messageID, properties.messageID, theirs.message_id)
            expectSame(.type, properties.type, theirs.type)
            expectSame(.userID, properties.userID, theirs.user_id)
            if theirs._flags & amqp_flags_t(PropertyField.timestamp.rawValue) != 0 {
                expect(properties.timestamp == theirs.timestamp, "the library reads another timestamp")
            }
            if hasHeaders {
                expect(same(.table(FieldTable(theirs.headers)), .table(properties.headers)), "the library reads other headers")
            }
        }
    }

    private static func delivery(_ raw: [UInt8]) -> Delivery? {
        raw.withUnsafeBytes { bytes in
            Delivery(
                DeliveryOpening(amqp_basic_deliver_t()),
                rawProperties: amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress)),
                bodyBytes: 0, keptBytes: 0)
        }
    }

    /// As librabbitmq reads a table with its length before it; nil where it does not.
    private static func libraryTable(_ wire: [UInt8]) -> FieldTable? {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4_096)
        defer { empty_amqp_pool(&pool) }
        var framed = withUnsafeBytes(of: UInt32(wire.count).bigEndian) { Array($0) } + wire
        return framed.withUnsafeMutableBytes { bytes in
            var table = amqp_table_t()
            var offset = 0
            let status = amqp_decode_table(amqp_bytes_t(len: bytes.count, bytes: bytes.baseAddress), &pool, &table, &offset)
            return status == 0 ? FieldTable(table) : nil
        }
    }

    /// - Parameter original: what must be written again; nil where that is not the whole of it.
    private static func checkWriting(_ table: FieldTable, of original: [UInt8]?) {
        var arena = ScratchArena()
        guard let native = try? arena.table(table) else { return expect(false, "a table that was read cannot be written") }
        var native2 = native
        var written = [UInt8](repeating: 0, count: arena.encodedBytes + 1_024 + 256 * table.count)
        var offset = 0
        let status = written.withUnsafeMutableBytes { bytes in
            amqp_encode_table(amqp_bytes_t(len: bytes.count, bytes: bytes.baseAddress), &native2, &offset)
        }
        expect(status == 0, "the library cannot write what was read: \(status)")
        expect(offset <= arena.encodedBytes + 4 + 8 * table.count + 256, "more bytes on the wire than were counted")
        let again = written[4..<offset].withUnsafeBytes { FieldTable(wire: $0) }
        expect(same(.table(again), .table(table)), "what was written is read as something else")
        if let original { expect(written[4..<offset].elementsEqual(original), "what was read is written as other bytes") }
    }

    /// Whether there is a flag that is neither 0 nor 1, in what is whole: it is written as 1.
    private static func hasOddBool(_ wire: [UInt8], isArray: Bool = false) -> Bool {
        wire.withUnsafeBytes { bytes in
            var reader = WireReader(bytes)
            while isArray || reader.shortBytes() != nil, let kind = reader.integer(UInt8.self), let value = reader.value(of: kind)
            {
                if kind == UInt8(ascii: "t"), value[0] > 1 { return true }
                guard [UInt8(ascii: "A"), UInt8(ascii: "F")].contains(kind) else { continue }
                if hasOddBool(Array(value), isArray: kind == UInt8(ascii: "A")) { return true }
            }
            return false
        }
    }

    /// Whether every value in the table, and in what lies in it, ends where its length says.
    private static func isWhole(_ wire: [UInt8], isArray: Bool = false) -> Bool {
        wire.withUnsafeBytes { bytes in
            var reader = WireReader(bytes)
            while !reader.isAtEnd {
                guard isArray || reader.shortBytes() != nil, let kind = reader.integer(UInt8.self),
                    let value = reader.value(of: kind)
                else { return false }
                guard [UInt8(ascii: "A"), UInt8(ascii: "F")].contains(kind) else { continue }
                if !isWhole(Array(value), isArray: kind == UInt8(ascii: "A")) { return false }
            }
            return true
        }
    }

    private static func levels(_ value: FieldValue) -> Int {
        switch value {
        case .array(let values): 1 + (values.map { levels($0) }.max() ?? 0)
        case .table(let table): 1 + (table.entries.map { levels($0.value) }.max() ?? 0)
        default: 0
        }
    }

    /// Equal, but for numbers that are none, and what lies deeper than we read.
    private static func same(_ left: FieldValue, _ right: FieldValue) -> Bool {
        switch (left, right) {
        case (.double(let left), .double(let right)): left == right || left.isNaN && right.isNaN
        case (.array(let left), .array(let right)): left.elementsEqual(right) { same($0, $1) }
        case (.table(let left), .table(let right)):
            left.entries.elementsEqual(right.entries) { $0.name == $1.name && same($0.value, $1.value) }
        // The library's reading below goes no deeper.
        case (.null, .unread): true
        default: left == right
        }
    }
}

extension FieldTable {
    /// A table as librabbitmq has decoded it.
    fileprivate init(_ table: amqp_table_t, level: Int = 0) {
        self.init(
            (0..<Int(table.num_entries)).map { index in
                let entry = table.entries[index]
                return (entry.key.text, FieldValue(entry.value, level: level))
            })
    }
}

extension FieldValue {
    fileprivate init(_ field: amqp_field_value_t, level: Int) {
        let value = field.value
        switch field.kind {
        case UInt8(ascii: "t"): self = .bool(value.boolean != 0)
        case UInt8(ascii: "b"): self = .number(kind: field.kind, bits: UInt64(UInt8(bitPattern: value.i8)))
        case UInt8(ascii: "B"): self = .number(kind: field.kind, bits: UInt64(value.u8))
        case UInt8(ascii: "s"): self = .number(kind: field.kind, bits: UInt64(UInt16(bitPattern: value.i16)))
        case UInt8(ascii: "u"): self = .number(kind: field.kind, bits: UInt64(value.u16))
        case UInt8(ascii: "I"): self = .number(kind: field.kind, bits: UInt64(UInt32(bitPattern: value.i32)))
        case UInt8(ascii: "i"): self = .number(kind: field.kind, bits: UInt64(value.u32))
        case UInt8(ascii: "l"): self = .int(value.i64)
        case UInt8(ascii: "L"): self = .number(kind: field.kind, bits: value.u64)
        case UInt8(ascii: "f"): self = .number(kind: field.kind, bits: UInt64(value.f32.bitPattern))
        case UInt8(ascii: "d"): self = .double(value.f64)
        case UInt8(ascii: "D"):
            self = .number(kind: field.kind, bits: UInt64(value.decimal.decimals) << 32 | UInt64(value.decimal.value))
        case UInt8(ascii: "S"):
            let bytes = UnsafeRawBufferPointer(start: value.bytes.bytes, count: value.bytes.len)
            self = String(validating: bytes, as: UTF8.self).map { .text($0) } ?? .rawText(Array(bytes))
        case UInt8(ascii: "x"): self = .bytes(Array(UnsafeRawBufferPointer(start: value.bytes.bytes, count: value.bytes.len)))
        case UInt8(ascii: "T"): self = .timestamp(value.u64)
        case UInt8(ascii: "A") where level < FieldTable.mostLevels:
            self = .array((0..<Int(value.array.num_entries)).map { FieldValue(value.array.entries[$0], level: level + 1) })
        case UInt8(ascii: "F") where level < FieldTable.mostLevels: self = .table(FieldTable(value.table, level: level + 1))
        default: self = .null
        }
    }
}
