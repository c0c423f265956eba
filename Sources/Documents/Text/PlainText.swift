/// `text/plain`: paragraphs parted by blank lines; their line breaks stay.
enum PlainText {
    static func read(_ text: [UInt8]) throws(ExtractionError) -> DocumentText {
        var builder = DocumentBuilder()
        var start = 0
        var end = 0
        try text[...].forEachLine { line throws(ExtractionError) in
            if line.contains(where: { !$0.isBlank }) {
                end = line.endIndex
            } else {
                if start < end { try builder.block(text[start..<end], verbatim: true) }
                start = min(line.endIndex + 1, text.count)
            }
        }
        if start < end { try builder.block(text[start..<end], verbatim: true) }
        return try builder.finish()
    }
}
