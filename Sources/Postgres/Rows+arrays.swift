extension Rows {
    /// Calls the body with each element's bytes, nil for NULL, of an array of any type; dimensions are flattened.
    /// Source: `array_send` in PostgreSQL's `arrayfuncs.c`.
    func forEachElement<Failure: Error>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = present(row, column)
        let dimensions = Int(bytes.bigEndian(0, Int32.self))
        guard dimensions > 0 else { return }
        var elements = 1
        for dimension in 0..<dimensions { elements *= Int(bytes.bigEndian(12 + 8 * dimension, Int32.self)) }
        var position = 12 + 8 * dimensions
        for _ in 0..<elements {
            let length = Int(bytes.bigEndian(position, Int32.self))
            position += 4
            if length < 0 {
                try body(nil)
            } else {
                try body(UnsafeRawBufferPointer(rebasing: bytes[position..<(position + length)]))
                position += length
            }
        }
    }

    /// `text[]` (or of another text type) without NULLs.
    public func texts(_ row: Int, _ column: Int) -> [String] { String.elements(self, row, column) }

    /// `int2[]`, `int4[]` or `int8[]` without NULLs.
    public func ints(_ row: Int, _ column: Int) -> [Int64] { Int64.elements(self, row, column) }
}
