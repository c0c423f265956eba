extension Rows {
    /// Calls the body with each element's bytes, nil for NULL, of an array of any type; dimensions are flattened.
    /// Source: `array_send` in PostgreSQL's `arrayfuncs.c`.
    public func forEachElement<Failure: Error>(
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
    public func texts(_ row: Int, _ column: Int) -> [String] {
        optionalTexts(row, column).map { text in
            guard let text else { preconditionFailure("a NULL in the array of row \(row), column \(column)") }
            return text
        }
    }

    /// `text[]` (or of another text type) with NULLs.
    public func optionalTexts(_ row: Int, _ column: Int) -> [String?] {
        var texts: [String?] = []
        forEachElement(row, column) { bytes in texts.append(bytes.map { String(decoding: $0, as: UTF8.self) }) }
        return texts
    }

    /// `int2[]`, `int4[]` or `int8[]` without NULLs.
    public func ints(_ row: Int, _ column: Int) -> [Int64] {
        var values: [Int64] = []
        forEachElement(row, column) { bytes in
            switch bytes?.count {
            case 8: values.append(bytes!.bigEndian(0, Int64.self))
            case 4: values.append(Int64(bytes!.bigEndian(0, Int32.self)))
            case 2: values.append(Int64(bytes!.bigEndian(0, Int16.self)))
            default: preconditionFailure("a NULL or no integer in the array of row \(row), column \(column)")
            }
        }
        return values
    }
}
