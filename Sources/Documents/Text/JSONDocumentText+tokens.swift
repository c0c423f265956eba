internal import Contract

extension JSONDocumentText {
    func fault(_ message: String) -> ExtractionError {
        ExtractionError("the JSON is malformed: \(message)", at: cursor.position)
    }

    mutating func take(_ character: Unicode.Scalar) throws(ExtractionError) {
        guard cursor.take(UInt8(ascii: character)) else { throw fault("‘\(character)’ is missing") }
    }

    /// The string at hand without control characters; line ends as line feeds, and so is a form feed.
    mutating func text() throws(ExtractionError) -> [UInt8] {
        guard let slice = cursor.text() else { throw fault("a string is not well formed, or has no end") }
        var text: [UInt8] = []
        text.reserveCapacity(slice.count)
        var isAfterReturn = false
        slice.forEachPiece(in: cursor.bytes) { piece in
            for byte in piece {
                switch byte {
                case 0x20..<0x7F, 0x80..., 0x09: text.append(byte)
                case 0x0A where isAfterReturn: break
                case 0x0A, 0x0C, 0x0D: text.append(0x0A)
                default: break
                }
                isAfterReturn = byte == 0x0D
            }
        }
        return text
    }

    /// A number, `true`, `false` or `null` as it is written.
    mutating func literal() throws(ExtractionError) -> [UInt8] {
        let start = cursor.position
        let isWord = cursor.takeWord("true") || cursor.takeWord("false") || cursor.takeWord("null")
        guard isWord || cursor.number() != nil, !Self.goesOn(cursor.byte) else {
            cursor.position = start
            throw fault("a value is expected")
        }
        return Array(cursor.bytes[start..<cursor.position])
    }

    /// Whether a literal that is followed by this byte is none.
    private static func goesOn(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.isLetter || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }
}
