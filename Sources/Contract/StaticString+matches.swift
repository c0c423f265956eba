extension StaticString {
    /// Whether these bytes are this text, byte for byte.
    @inlinable
    public func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == utf8CodeUnitCount else { return false }
        var index = 0
        while index < bytes.count {
            if bytes[index] != utf8Start[index] { return false }
            index += 1
        }
        return true
    }
}
