internal import CLibRabbitMQ

extension Properties {
    /// The flags and the properties that are there, as they stand in a content header frame: for keeping a message elsewhere than on a broker.
    ///
    /// - Throws: kind `usage` for what AMQP cannot carry.
    public func wire() throws(AMQPError) -> [UInt8] {
        var scratch = ScratchArena()
        var native = try scratch.properties(self)
        // The scratch counts each text with more than its length's bytes; what has a fixed length fits into the rest.
        var buffer = [UInt8](repeating: 0, count: scratch.encodedBytes + 256)
        let length = buffer.withUnsafeMutableBytes { bytes in
            amqp_encode_properties(
                UInt16(AMQP_BASIC_CLASS), &native, amqp_bytes_t(len: bytes.count, bytes: bytes.baseAddress))
        }
        guard length > 0 else { throw AMQPError(.usage, "the properties cannot be encoded") }
        buffer.removeLast(buffer.count - Int(length))
        return buffer
    }

    /// What ``wire()`` has made, or a broker has sent.
    public init(wire: UnsafeRawBufferPointer) {
        func bytes(_ field: PropertyField) -> UnsafeRawBufferPointer? { field.find(in: wire) }
        func text(_ field: PropertyField) -> String? { bytes(field).map { String(decoding: $0, as: UTF8.self) } }
        self.init(
            contentType: text(.contentType), contentEncoding: text(.contentEncoding),
            headers: bytes(.headers).map { FieldTable(wire: $0) } ?? FieldTable(),
            deliveryMode: bytes(.deliveryMode).flatMap { DeliveryMode(rawValue: $0[0]) }, priority: bytes(.priority)?[0],
            correlationID: text(.correlationID), replyTo: text(.replyTo), expiration: text(.expiration),
            messageID: text(.messageID),
            timestamp: bytes(.timestamp).flatMap { bytes in
                var reader = WireReader(bytes)
                return reader.integer(UInt64.self)
            },
            type: text(.type), userID: text(.userID), appID: text(.appID))
        for field in PropertyField.texts {
            if let bytes = bytes(field), String(validating: bytes, as: UTF8.self) == nil { keep(bytes, of: field) }
        }
    }
}
