/// A property of class basic, by its flag, and how to find it among the encoded properties (AMQP 0-9-1, section 4.2.6).
enum PropertyField: UInt16 {
    case contentType = 0x8000
    case contentEncoding = 0x4000
    case headers = 0x2000
    case deliveryMode = 0x1000
    case priority = 0x0800
    case correlationID = 0x0400
    case replyTo = 0x0200
    case expiration = 0x0100
    case messageID = 0x0080
    case timestamp = 0x0040
    case type = 0x0020
    case userID = 0x0010
    case appID = 0x0008

    static let texts: [PropertyField] = [
        .contentType, .contentEncoding, .correlationID, .replyTo, .expiration, .messageID, .type, .userID, .appID,
    ]

    /// The value's bytes, without a length prefix; nil if the property is absent.
    ///
    /// The properties stand in the order of their flags, so this skips over those before it: a dozen steps at most.
    func find(in raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var reader = WireReader(raw)
        guard let flags = reader.integer(UInt16.self), flags & rawValue != 0 else { return nil }
        var flag: UInt16 = 0x8000
        while flag > rawValue {
            if flags & flag != 0, Self.cut(flag, &reader) == nil { return nil }
            flag >>= 1
        }
        return Self.cut(flag, &reader)
    }

    @inline(__always)
    private static func cut(_ flag: UInt16, _ reader: inout WireReader) -> UnsafeRawBufferPointer? {
        switch flag {
        case 0x2000: reader.longBytes()
        case 0x1000, 0x0800: reader.bytes(1)
        case 0x0040: reader.bytes(8)
        default: reader.shortBytes()
        }
    }
}
