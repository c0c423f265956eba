extension [UInt8] {
    /// Whether these are the same bytes: the delay of the answer tells nothing of where they differ.
    public func isEqualInConstantTime(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in indices { difference |= self[index] ^ other[index] }
        return difference == 0
    }
}
