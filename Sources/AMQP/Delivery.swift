internal import CLibRabbitMQ
internal import Glibc

/// One message from the broker, delivered to a consumer or fetched with `get`.
///
/// It owns a single block of memory that holds the message as it came over the wire; every view points into it and is valid as long as
/// the delivery lives: hold it in a variable or a batch while using them, a temporary (`try get(queue)?.body`) is gone too soon.
/// A `String` is made only when one is asked for. Views of headers decode nothing they do not need.
public final class Delivery {
    /// Counts the deliveries of this channel from 1; what `ack` takes.
    public let deliveryTag: UInt64
    /// True if it may have been delivered before.
    public let redelivered: Bool
    /// What was kept of the body: all of it, unless it is over the connection's ``Connection/bodyBound``.
    public let body: UnsafeRawBufferPointer
    /// The whole body's bytes, as they were sent.
    public let bodyBytes: Int
    public let exchangeBytes: UnsafeRawBufferPointer
    public let routingKeyBytes: UnsafeRawBufferPointer
    /// Empty for a message from `get`.
    public let consumerTagBytes: UnsafeRawBufferPointer
    /// The property flags, then the properties present, as on the wire.
    private let rawProperties: UnsafeRawBufferPointer
    private let storage: UnsafeMutableRawBufferPointer
    private var arrivedBytes = 0

    /// Copies everything but the body, which `append` brings. Nil if there is no memory for it.
    ///
    /// - Parameter keptBytes: how much of the body is kept; the rest is dropped as it arrives.
    init?(_ opening: DeliveryOpening, rawProperties raw: amqp_bytes_t, bodyBytes: Int, keptBytes: Int) {
        let parts = [opening.exchange, opening.routingKey, opening.consumerTag, raw]
        let total = opening.exchange.len + opening.routingKey.len + opening.consumerTag.len + raw.len + keptBytes
        guard let memory = malloc(max(total, 1)) else { return nil }
        storage = UnsafeMutableRawBufferPointer(start: memory, count: total)
        var offset = 0
        func place(_ bytes: amqp_bytes_t) -> UnsafeRawBufferPointer {
            if bytes.len > 0 { memcpy(memory + offset, bytes.bytes, bytes.len) }
            defer { offset += bytes.len }
            return UnsafeRawBufferPointer(start: memory + offset, count: bytes.len)
        }
        exchangeBytes = place(parts[0])
        routingKeyBytes = place(parts[1])
        consumerTagBytes = place(parts[2])
        rawProperties = place(parts[3])
        body = UnsafeRawBufferPointer(start: memory + offset, count: keptBytes)
        self.bodyBytes = bodyBytes
        deliveryTag = opening.deliveryTag
        redelivered = opening.redelivered
    }

    deinit { free(storage.baseAddress) }

    var isComplete: Bool { arrivedBytes == bodyBytes }

    /// Takes the next fragment of the body; false if it is longer than announced.
    func append(_ fragment: amqp_bytes_t) -> Bool {
        guard fragment.len <= bodyBytes - arrivedBytes, let base = storage.baseAddress else { return false }
        let room = max(0, min(fragment.len, body.count - arrivedBytes))
        if room > 0 { memcpy(base + (storage.count - body.count + arrivedBytes), fragment.bytes, room) }
        arrivedBytes += fragment.len
        return true
    }

    /// Whether only the beginning of the body was kept.
    public var isBodyCut: Bool { body.count < bodyBytes }
    /// The properties' and headers' bytes, as they were sent.
    public var propertyBytes: Int { rawProperties.count }
    /// The memory that the message takes here.
    public var heldBytes: Int { storage.count }

    /// The body, with the delivery certain to live as long as the closure runs.
    public func withBody<Value, Failure: Error>(
        _ read: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        defer { withExtendedLifetime(self) {} }
        return try read(body)
    }

    public var exchange: String { String(decoding: exchangeBytes, as: UTF8.self) }
    public var routingKey: String { String(decoding: routingKeyBytes, as: UTF8.self) }
    public var consumerTag: String { String(decoding: consumerTagBytes, as: UTF8.self) }
}

// Whoever reads it off the connection fills it; nobody else sees it before it is whole, and from then on it is only read.
extension Delivery: @unchecked Sendable {}

// MARK: - Properties

extension Delivery {
    public var contentTypeBytes: UnsafeRawBufferPointer? { property(.contentType) }
    public var correlationIDBytes: UnsafeRawBufferPointer? { property(.correlationID) }
    public var replyToBytes: UnsafeRawBufferPointer? { property(.replyTo) }
    public var messageIDBytes: UnsafeRawBufferPointer? { property(.messageID) }
    public var typeBytes: UnsafeRawBufferPointer? { property(.type) }

    public var contentType: String? { text(.contentType) }
    public var correlationID: String? { text(.correlationID) }
    public var replyTo: String? { text(.replyTo) }
    public var messageID: String? { text(.messageID) }
    public var type: String? { text(.type) }

    /// Seconds since 1970-01-01T00:00:00Z, as the producer said.
    public var timestamp: UInt64? {
        property(.timestamp).flatMap { bytes in
            var reader = WireReader(bytes)
            return reader.integer(UInt64.self)
        }
    }

    /// All properties, copied: for publishing the message again.
    public var properties: Properties { Properties(wire: rawProperties) }

    private func property(_ property: PropertyField) -> UnsafeRawBufferPointer? { property.find(in: rawProperties) }

    private func text(_ property: PropertyField) -> String? {
        property.find(in: rawProperties).map { String(decoding: $0, as: UTF8.self) }
    }
}

// MARK: - Headers

extension Delivery {
    /// All headers, copied.
    public var headers: FieldTable { headerBytes.map { FieldTable(wire: $0) } ?? FieldTable() }

    /// All headers as they came.
    var headerBytes: UnsafeRawBufferPointer? { property(.headers) }

    /// The bytes of a text or byte-array header; nil if there is none of that name and kind. Allocates nothing.
    public func header(_ name: StaticString) -> UnsafeRawBufferPointer? {
        guard let (kind, value) = find(name), kind == UInt8(ascii: "S") || kind == UInt8(ascii: "x") else { return nil }
        return value
    }

    /// A text header as a `String`.
    public func headerText(_ name: StaticString) -> String? { header(name).map { String(decoding: $0, as: UTF8.self) } }

    /// An integer header of any width. Allocates nothing.
    public func headerInt(_ name: StaticString) -> Int64? {
        find(name).flatMap { kind, value in FieldValue.integer(kind: kind, wire: value) }
    }

    /// Whether there is a header of that name, of any kind. Allocates nothing.
    public func hasHeader(_ name: StaticString) -> Bool { find(name) != nil }

    /// A Boolean header. Allocates nothing.
    public func headerBool(_ name: StaticString) -> Bool? {
        guard let (kind, value) = find(name), kind == UInt8(ascii: "t") else { return nil }
        return value.first != 0
    }

    private func find(_ name: StaticString) -> (kind: UInt8, value: UnsafeRawBufferPointer)? {
        guard let table = headerBytes else { return nil }
        var reader = WireReader(table)
        while let key = reader.shortBytes(), let kind = reader.integer(UInt8.self), let value = reader.value(of: kind) {
            if key.count == name.utf8CodeUnitCount, let base = key.baseAddress, memcmp(base, name.utf8Start, key.count) == 0 {
                return (kind, value)
            }
        }
        return nil
    }
}
