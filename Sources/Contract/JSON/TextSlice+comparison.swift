extension TextSlice {
    /// Whether the text is this one, byte for byte.
    @inlinable
    public func equals(_ text: StaticString, in body: UnsafeRawBufferPointer) -> Bool {
        withText(in: body) { text.matches($0) }
    }

    /// Whether two texts, of one body or of two, are the same byte for byte (as PostgreSQL sees them: no normalization).
    @inlinable
    public func equals(_ other: TextSlice, in body: UnsafeRawBufferPointer, otherBody: UnsafeRawBufferPointer) -> Bool {
        if !isEscaped, !other.isEscaped, count != other.count { return false }
        return withText(in: body) { text in
            other.withText(in: otherBody) { otherText in text.elementsEqual(otherText) }
        }
    }

    /// A hash of the text, the same however it is escaped. For tables that live as long as a batch: it is not seeded.
    @inlinable
    public func hash(in body: UnsafeRawBufferPointer) -> UInt64 {
        withText(in: body) { text in
            // FNV-1a over words of eight bytes, then a murmur finish to spread the high bits.
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(text.count)
            var index = 0
            while index + 8 <= text.count {
                hash = (hash ^ text.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 32
                index += 8
            }
            while index < text.count {
                hash = (hash ^ UInt64(text[index])) &* 0x0000_0100_0000_01B3
                index += 1
            }
            hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            return hash ^ (hash >> 33)
        }
    }

    /// Whether the text has this many Unicode scalars.
    func hasScalars(_ counts: ClosedRange<Int>, in body: UnsafeRawBufferPointer) -> Bool {
        if !isEscaped, count < counts.lowerBound { return false }
        // No scalar has more bytes than it has scalars, and none takes more than twelve (an escaped pair).
        if !isEscaped, counts.lowerBound <= 1, count <= counts.upperBound { return count >= counts.lowerBound }
        if count > counts.upperBound * 12 { return false }
        return withText(in: body) { text in
            counts.contains(text.reduce(into: 0) { scalars, byte in scalars += byte & 0xC0 == 0x80 ? 0 : 1 })
        }
    }
}
