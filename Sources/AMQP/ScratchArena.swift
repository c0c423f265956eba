internal import CLibRabbitMQ
internal import Glibc

/// Memory for the arguments of one call into the library, used again by the next: strings and tables as librabbitmq wants them,
/// at addresses that stay put until `reset`.
struct ScratchArena: ~Copyable {
    private var block: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    private var overflow: [UnsafeMutableRawPointer] = []
    private var overflowBytes = 0
    /// What has been built since the last reset, as bytes on the wire (rounded up).
    private(set) var encodedBytes = 0

    init(capacity: Int = 4096) {
        self.capacity = capacity
        block = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        block.deallocate()
        for extra in overflow { extra.deallocate() }
    }

    /// Forgets everything built so far. A block that was too small is replaced by one that is not, up to a mebibyte.
    mutating func reset() {
        used = 0
        encodedBytes = 0
        guard !overflow.isEmpty else { return }
        for extra in overflow { extra.deallocate() }
        overflow.removeAll()
        let wanted = min(capacity + overflowBytes, 1 << 20)
        overflowBytes = 0
        guard wanted > capacity else { return }
        block.deallocate()
        capacity = wanted
        block = .allocate(byteCount: capacity, alignment: 16)
    }

    private mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + 15) & ~15
        if used + rounded <= capacity {
            defer { used += rounded }
            return block + used
        }
        let extra = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: 16)
        overflow.append(extra)
        overflowBytes += rounded
        return extra
    }

    /// A copy of the string's UTF-8.
    mutating func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// A short string: names, keys and properties, whose length is one byte on the wire (the library would cut it silently).
    mutating func short(_ text: String, _ what: StaticString) throws(AMQPError) -> amqp_bytes_t {
        guard text.utf8.count <= 255 else { throw AMQPError(.usage, "\(what) is longer than 255 bytes") }
        return bytes(text)
    }

    private mutating func copy(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        encodedBytes += source.count + 4
        return place(source)
    }

    private mutating func place(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let base = source.baseAddress, source.count > 0 else { return amqp_bytes_t() }
        let target = allocate(source.count)
        memcpy(target, base, source.count)
        return amqp_bytes_t(len: source.count, bytes: target)
    }

    mutating func table(_ table: FieldTable) throws(AMQPError) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_table_t() }
        let entries = allocate(table.count * MemoryLayout<amqp_table_entry_t>.stride)
            .bindMemory(to: amqp_table_entry_t.self, capacity: table.count)
        for index in 0..<table.count {
            let entry = table.storage[index]
            let key =
                if let name = entry.rawName { name.withUnsafeBytes { copy($0) } } else {
                    try short(entry.name, "a header's name")
                }
            entries[index] = amqp_table_entry_t(key: key, value: try field(entry.value))
        }
        return amqp_table_t(num_entries: Int32(table.count), entries: entries)
    }

    private mutating func field(_ value: FieldValue) throws(AMQPError) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        encodedBytes += 9
        switch value {
        case .bool(let flag): (field.kind, field.value.boolean) = (UInt8(ascii: "t"), flag ? 1 : 0)
        case .int(let number): (field.kind, field.value.i64) = (UInt8(ascii: "l"), number)
        case .double(let number): (field.kind, field.value.f64) = (UInt8(ascii: "d"), number)
        case .text(let text): (field.kind, field.value.bytes) = (UInt8(ascii: "S"), bytes(text))
        case .rawText(let array): (field.kind, field.value.bytes) = (UInt8(ascii: "S"), array.withUnsafeBytes { copy($0) })
        case .number(let kind, let bits): put(kind, bits, &field)
        case .bytes(let array): (field.kind, field.value.bytes) = (UInt8(ascii: "x"), array.withUnsafeBytes { copy($0) })
        case .timestamp(let seconds): (field.kind, field.value.u64) = (UInt8(ascii: "T"), seconds)
        case .array(let values): (field.kind, field.value.array) = (UInt8(ascii: "A"), try array(values))
        case .table(let nested): (field.kind, field.value.table) = (UInt8(ascii: "F"), try table(nested))
        case .unread(let kind, let bytes):
            encodedBytes += bytes.count
            unread(kind, bytes, &field)
        case .null: field.kind = UInt8(ascii: "V")
        }
        return field
    }

    /// A table or an array as it came. What lies within it is built without recursion, however deep that is.
    private mutating func unread(_ kind: UInt8, _ bytes: [UInt8], _ field: inout amqp_field_value_t) {
        let copied = bytes.withUnsafeBytes { place($0) }
        // Set out in the arena, where it stays while what is within is filled in.
        let root = allocate(MemoryLayout<amqp_field_value_t>.stride).bindMemory(to: amqp_field_value_t.self, capacity: 1)
        var open = [(target: root, kind: kind, bytes: UnsafeRawBufferPointer(start: copied.bytes, count: copied.len))]
        while let (target, kind, bytes) = open.popLast() {
            let isTable = kind == UInt8(ascii: "F")
            guard isTable || kind == UInt8(ascii: "A") else {
                target.initialize(to: scalar(kind, bytes))
                continue
            }
            var within: [(name: UnsafeRawBufferPointer, kind: UInt8, bytes: UnsafeRawBufferPointer)] = []
            var reader = WireReader(bytes)
            while !reader.isAtEnd {
                guard let name = isTable ? reader.shortBytes() : UnsafeRawBufferPointer(start: nil, count: 0),
                    let kind = reader.integer(UInt8.self), let value = reader.value(of: kind)
                else { break }
                within.append((name, kind, value))
            }
            target.initialize(to: amqp_field_value_t())
            target.pointee.kind = kind
            if isTable {
                let entries = allocate(within.count * MemoryLayout<amqp_table_entry_t>.stride)
                    .bindMemory(to: amqp_table_entry_t.self, capacity: within.count)
                for (index, entry) in within.enumerated() {
                    let key = amqp_bytes_t(
                        len: entry.name.count, bytes: UnsafeMutableRawPointer(mutating: entry.name.baseAddress))
                    (entries + index).initialize(to: amqp_table_entry_t(key: key, value: amqp_field_value_t()))
                    let place = UnsafeMutableRawPointer(entries + index) + MemoryLayout<amqp_table_entry_t>.offset(of: \.value)!
                    open.append((place.assumingMemoryBound(to: amqp_field_value_t.self), entry.kind, entry.bytes))
                }
                target.pointee.value.table = amqp_table_t(num_entries: Int32(within.count), entries: entries)
            } else {
                let entries = allocate(within.count * MemoryLayout<amqp_field_value_t>.stride)
                    .bindMemory(to: amqp_field_value_t.self, capacity: within.count)
                for (index, entry) in within.enumerated() { open.append((entries + index, entry.kind, entry.bytes)) }
                target.pointee.value.array = amqp_array_t(num_entries: Int32(within.count), entries: entries)
            }
        }
        field = root.pointee
    }

    private func put(_ kind: UInt8, _ bits: UInt64, _ field: inout amqp_field_value_t) {
        field.kind = kind
        switch kind {
        case UInt8(ascii: "b"): field.value.i8 = Int8(truncatingIfNeeded: bits)
        case UInt8(ascii: "B"): field.value.u8 = UInt8(truncatingIfNeeded: bits)
        case UInt8(ascii: "s"): field.value.i16 = Int16(truncatingIfNeeded: bits)
        case UInt8(ascii: "u"): field.value.u16 = UInt16(truncatingIfNeeded: bits)
        case UInt8(ascii: "I"): field.value.i32 = Int32(truncatingIfNeeded: bits)
        case UInt8(ascii: "i"): field.value.u32 = UInt32(truncatingIfNeeded: bits)
        case UInt8(ascii: "L"): field.value.u64 = bits
        case UInt8(ascii: "f"): field.value.f32 = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
        case UInt8(ascii: "D"):
            field.value.decimal = amqp_decimal_t(
                decimals: UInt8(truncatingIfNeeded: bits >> 32), value: UInt32(truncatingIfNeeded: bits))
        default: field.kind = UInt8(ascii: "V")
        }
    }

    /// A value with nothing within, whose bytes stay where they are.
    private func scalar(_ kind: UInt8, _ wire: UnsafeRawBufferPointer) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        field.kind = kind
        switch kind {
        case UInt8(ascii: "S"), UInt8(ascii: "x"):
            field.value.bytes = amqp_bytes_t(len: wire.count, bytes: UnsafeMutableRawPointer(mutating: wire.baseAddress))
        case UInt8(ascii: "t"): field.value.boolean = wire[0] == 0 ? 0 : 1
        case UInt8(ascii: "l"), UInt8(ascii: "d"), UInt8(ascii: "T"):
            var reader = WireReader(wire)
            field.value.u64 = reader.integer(UInt64.self) ?? 0
        default: put(kind, wire.reduce(0) { $0 << 8 | UInt64($1) }, &field)
        }
        return field
    }

    private mutating func array(_ values: [FieldValue]) throws(AMQPError) -> amqp_array_t {
        guard !values.isEmpty else { return amqp_array_t() }
        let entries = allocate(values.count * MemoryLayout<amqp_field_value_t>.stride)
            .bindMemory(to: amqp_field_value_t.self, capacity: values.count)
        for index in values.indices { entries[index] = try field(values[index]) }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    mutating func properties(_ source: Properties) throws(AMQPError) -> amqp_basic_properties_t {
        var target = amqp_basic_properties_t()
        var flags: amqp_flags_t = 0
        func text(_ field: PropertyField, _ value: String?) -> Text? { value.map { Text($0, raw: source.raw(field, for: $0)) } }
        try put(text(.contentType, source.contentType), &target.content_type, .contentType, &flags, "content_type")
        try put(
            text(.contentEncoding, source.contentEncoding), &target.content_encoding, .contentEncoding, &flags, "content_encoding"
        )
        try put(text(.correlationID, source.correlationID), &target.correlation_id, .correlationID, &flags, "correlation_id")
        try put(text(.replyTo, source.replyTo), &target.reply_to, .replyTo, &flags, "reply_to")
        try put(text(.expiration, source.expiration), &target.expiration, .expiration, &flags, "expiration")
        try put(text(.messageID, source.messageID), &target.message_id, .messageID, &flags, "message_id")
        try put(text(.type, source.type), &target.type, .type, &flags, "type")
        try put(text(.userID, source.userID), &target.user_id, .userID, &flags, "user_id")
        try put(text(.appID, source.appID), &target.app_id, .appID, &flags, "app_id")
        put(source.deliveryMode?.rawValue, &target.delivery_mode, .deliveryMode, &flags)
        put(source.priority, &target.priority, .priority, &flags)
        put(source.timestamp, &target.timestamp, .timestamp, &flags)
        if !source.headers.isEmpty { put(try table(source.headers), &target.headers, .headers, &flags) }
        target._flags = flags
        return target
    }

    /// A property's text, and the bytes that it was read from if these are not UTF-8.
    private struct Text {
        let text: String
        let raw: [UInt8]?

        init(_ text: String, raw: [UInt8]?) {
            self.text = text
            self.raw = raw
        }
    }

    @inline(__always)
    private mutating func put(
        _ text: Text?, _ target: inout amqp_bytes_t, _ field: PropertyField, _ flags: inout amqp_flags_t, _ name: StaticString
    ) throws(AMQPError) {
        guard let text else { return }
        if let raw = text.raw {
            target = raw.withUnsafeBytes { copy($0) }
        } else {
            target = try short(text.text, name)
        }
        flags |= amqp_flags_t(field.rawValue)
    }

    @inline(__always)
    private func put<Value>(_ value: Value?, _ target: inout Value, _ field: PropertyField, _ flags: inout amqp_flags_t) {
        guard let value else { return }
        target = value
        flags |= amqp_flags_t(field.rawValue)
    }
}
