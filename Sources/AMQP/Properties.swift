/// The properties of a message (AMQP 0-9-1, class basic). What is `nil` or empty is not sent.
///
/// Texts are short strings on the wire: at most 255 bytes of UTF-8 each.
public struct Properties: Sendable, Equatable {
    public enum DeliveryMode: UInt8, Sendable {
        case transient = 1
        case persistent = 2
    }

    public var contentType: String?
    public var contentEncoding: String?
    public var headers: FieldTable
    /// Persistent unless said otherwise.
    public var deliveryMode: DeliveryMode?
    public var priority: UInt8?
    public var correlationID: String?
    public var replyTo: String?
    /// Milliseconds, as decimal digits.
    public var expiration: String?
    public var messageID: String?
    /// Seconds since 1970-01-01T00:00:00Z.
    public var timestamp: UInt64?
    public var type: String?
    /// The broker refuses a message (406) whose user is not the connection's.
    public var userID: String?
    public var appID: String?
    /// The bytes of those texts that were read and are not UTF-8, by their flag.
    private var rawTexts: [UInt16: [UInt8]] = [:]

    public init(
        contentType: String? = nil, contentEncoding: String? = nil, headers: FieldTable = FieldTable(),
        deliveryMode: DeliveryMode? = .persistent, priority: UInt8? = nil, correlationID: String? = nil, replyTo: String? = nil,
        expiration: String? = nil, messageID: String? = nil, timestamp: UInt64? = nil, type: String? = nil, userID: String? = nil,
        appID: String? = nil
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.headers = headers
        self.deliveryMode = deliveryMode
        self.priority = priority
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }
}

extension Properties {
    /// The bytes that a property's text was read from, if they are not UTF-8 and the text is still the one that was made of them.
    func raw(_ field: PropertyField, for text: String) -> [UInt8]? {
        guard !rawTexts.isEmpty, let bytes = rawTexts[field.rawValue] else { return nil }
        return String(decoding: bytes, as: UTF8.self) == text ? bytes : nil
    }

    mutating func keep(_ bytes: UnsafeRawBufferPointer, of field: PropertyField) {
        rawTexts[field.rawValue] = Array(bytes)
    }

    /// Sets the correlation id to bytes of any kind, at most 255 of them.
    public mutating func setCorrelationID(_ bytes: UnsafeRawBufferPointer) {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(255))
        correlationID = String(decoding: bytes, as: UTF8.self)
        if String(validating: bytes, as: UTF8.self) == nil { keep(bytes, of: .correlationID) }
    }
}
