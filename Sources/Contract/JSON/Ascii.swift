/// The bytes that JSON and RFC 3339 give a meaning to.
@usableFromInline
enum Ascii {
    @usableFromInline static let quote: UInt8 = 0x22
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let minus: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    @usableFromInline static let slash: UInt8 = 0x2F
    static let zero: UInt8 = 0x30
    static let colon: UInt8 = 0x3A
    static let openBracket: UInt8 = 0x5B
    @usableFromInline static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D
    static let e: UInt8 = 0x65
    static let t: UInt8 = 0x74
    @usableFromInline static let u: UInt8 = 0x75
    static let z: UInt8 = 0x7A
    static let openBrace: UInt8 = 0x7B
    static let closeBrace: UInt8 = 0x7D

    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }
    static func isLowercase(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// The value of a hexadecimal digit; more than 15 where it is none.
    @usableFromInline
    static func hexadecimal(_ byte: UInt8) -> UInt32 {
        switch byte {
        case 0x30...0x39: UInt32(byte) - 0x30
        case 0x41...0x46: UInt32(byte) - 0x41 + 10
        case 0x61...0x66: UInt32(byte) - 0x61 + 10
        default: 0xFF
        }
    }

    /// Four hexadecimal digits from `index`; the caller has seen that they lie within the bytes. nil where they are none.
    @usableFromInline
    static func hexadecimal4(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt32? {
        var value: UInt32 = 0
        for offset in 0..<4 {
            let digit = hexadecimal(bytes[index + offset])
            if digit > 15 { return nil }
            value = value << 4 | digit
        }
        return value
    }
}
