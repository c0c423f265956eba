/// A JSON value as it stands in a body: offset and length in bytes. It means nothing without the body it was read from.
@frozen
public struct RawSlice: Sendable, Hashable {
    public var start: Int
    public var count: Int

    @inlinable
    public init(start: Int, count: Int) {
        self.start = start
        self.count = count
    }

    @inlinable
    public func bytes(in body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[start..<start + count])
    }

    public func string(in body: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes(in: body), as: UTF8.self)
    }
}

/// A JSON text as it stands in a body, between its quotes: offset and length in bytes. It means nothing without that body.
///
/// The text was read by this module's scanner, so its escapes are well formed; they are only resolved by whoever needs the text.
@frozen
public struct TextSlice: Sendable {
    public var start: Int
    public var count: Int
    /// Backslashes are in it: the bytes are not yet the text.
    public var isEscaped: Bool

    @inlinable
    public init(start: Int = 0, count: Int = 0, isEscaped: Bool = false) {
        self.start = start
        self.count = count
        self.isEscaped = isEscaped
    }

    /// The bytes between the quotes, escapes and all.
    @inlinable
    public func rawBytes(in body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[start..<start + count])
    }

    /// The text's UTF-8, in order, in as many pieces as its escapes cut it into; one piece where it has none. A piece is only
    /// valid within the call.
    @inlinable
    public func forEachPiece(in body: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard isEscaped else { return try emit(rawBytes(in: body)) }
        let end = start + count
        var plain = start
        var position = start
        while position < end {
            guard body[position] == Ascii.backslash else {
                position += 1
                continue
            }
            if plain < position { try emit(UnsafeRawBufferPointer(rebasing: body[plain..<position])) }
            let escape = TextSlice.resolve(body, position)
            try withUnsafeBytes(of: escape.utf8) { try emit(UnsafeRawBufferPointer(rebasing: $0[..<escape.utf8Count])) }
            position += escape.length
            plain = position
        }
        if plain < end { try emit(UnsafeRawBufferPointer(rebasing: body[plain..<end])) }
    }

    /// Adds the text's UTF-8 to `output`.
    @inlinable
    public func append(to output: inout [UInt8], from body: UnsafeRawBufferPointer) {
        forEachPiece(in: body) { output.append(contentsOf: $0) }
    }

    /// The text as UTF-8 in one piece; copied only where it has escapes.
    @inlinable
    public func withText<R>(in body: UnsafeRawBufferPointer, _ use: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        guard isEscaped else { return try use(rawBytes(in: body)) }
        var text: [UInt8] = []
        text.reserveCapacity(count)
        append(to: &text, from: body)
        return try text.withUnsafeBytes(use)
    }

    public func string(in body: UnsafeRawBufferPointer) -> String {
        withText(in: body) { String(decoding: $0, as: UTF8.self) }
    }

    /// One escape at `position`: how long it is, and the UTF-8 it stands for, first byte lowest.
    @usableFromInline
    static func resolve(_ body: UnsafeRawBufferPointer, _ position: Int) -> (length: Int, utf8: UInt32, utf8Count: Int) {
        switch body[position + 1] {
        case 0x62: return (2, 0x08, 1)
        case 0x66: return (2, 0x0C, 1)
        case 0x6E: return (2, 0x0A, 1)
        case 0x72: return (2, 0x0D, 1)
        case 0x74: return (2, 0x09, 1)
        case Ascii.u: break
        case let literal: return (2, UInt32(literal), 1)
        }
        guard let unit = Ascii.hexadecimal4(body, position + 2) else { preconditionFailure("the scanner has seen this escape") }
        var length = 6
        var value = unit
        if unit & 0xFC00 == 0xD800, let low = lowSurrogate(body, position + 6) {
            value = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
            length = 12
        }
        // Half a pair stands for no text: it is only here where the cursor was told to take it.
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        var utf8: UInt32 = 0
        var shift: UInt32 = 0
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
            utf8 |= UInt32(byte) << shift
            shift += 8
        }
        return (length, utf8.littleEndian, Int(shift / 8))
    }

    /// The second half of a pair, if it is what stands at `position`.
    @usableFromInline
    static func lowSurrogate(_ body: UnsafeRawBufferPointer, _ position: Int) -> UInt32? {
        guard position + 6 <= body.count, body[position] == Ascii.backslash, body[position + 1] == Ascii.u,
            let low = Ascii.hexadecimal4(body, position + 2), low & 0xFC00 == 0xDC00
        else { return nil }
        return low
    }
}
