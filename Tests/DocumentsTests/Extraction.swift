import Documents

/// Blocks as `Path > to: text`, which reads well in a table of cases.
func outline(_ text: String, _ type: DocumentFormat) throws -> [String] {
    try TextExtractor.extract(Array(text.utf8), as: type).blocks.map { block in
        block.headingPath.isEmpty ? block.text : "\(block.headingPath.joined(separator: " > ")): \(block.text)"
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
