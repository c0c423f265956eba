/// `text/csv` (RFC 4180): every row after the header becomes a block of `Column: value` lines.
///
/// Rows may be ragged: a missing or empty value has no line, a value beyond the header has no label. Semicolons and tabs are
/// separators if the header has more of them than commas: spreadsheets write them where the comma is the decimal point.
struct CSVText {
    private let text: [UInt8]
    private let separator: UInt8
    private var position = 0
    private var row: [UInt8] = []
    private var fieldEnds: [Int] = []

    static func read(_ text: [UInt8], mostBytes: Int) throws(ExtractionError) -> DocumentText {
        var reader = CSVText(text: text, separator: separator(of: text))
        var builder = DocumentBuilder(mostBytes: mostBytes)
        guard reader.readRow() else { return builder.finish() }
        let labels = reader.fields.map { $0.collapsedBlanks() }
        var rowCount = 0
        while reader.readRow() {
            try builder.block(reader.labelled(labels)[...])
            rowCount += 1
        }
        if rowCount == 0 { try builder.block(Array(labels.joined(separator: Array(" | ".utf8)))[...]) }
        return builder.finish()
    }

    private init(text: [UInt8], separator: UInt8) {
        self.text = text
        self.separator = separator
    }

    private static func separator(of text: [UInt8]) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in text {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\t") {
                counts[byte, default: 0] += 1
            }
        }
        let commas = counts[UInt8(ascii: ","), default: 0]
        let semicolons = counts[UInt8(ascii: ";"), default: 0]
        let tabs = counts[UInt8(ascii: "\t"), default: 0]
        if semicolons > commas, semicolons >= tabs { return UInt8(ascii: ";") }
        return tabs > commas ? UInt8(ascii: "\t") : UInt8(ascii: ",")
    }

    private var fields: some Sequence<ArraySlice<UInt8>> {
        fieldEnds.indices.lazy.map { row[($0 == 0 ? 0 : fieldEnds[$0 - 1])..<fieldEnds[$0]] }
    }

    /// Reads the next row that is not blank into `row`; false at the end.
    private mutating func readRow() -> Bool {
        while position < text.count {
            row.removeAll(keepingCapacity: true)
            fieldEnds.removeAll(keepingCapacity: true)
            repeat { readField() } while continuesRow()
            if row.contains(where: { !$0.isBlank }) { return true }
        }
        return false
    }

    private mutating func continuesRow() -> Bool {
        fieldEnds.append(row.count)
        guard position < text.count else { return false }
        position += 1
        return text[position - 1] == separator
    }

    /// Reads one field up to its separator or line end. An unclosed quote runs to the end of the text.
    private mutating func readField() {
        let quote = UInt8(ascii: "\"")
        if position < text.count, text[position] == quote {
            position += 1
            while position < text.count {
                let byte = text[position]
                position += 1
                if byte != quote {
                    row.append(byte)
                } else if position < text.count, text[position] == quote {
                    row.append(quote)
                    position += 1
                } else {
                    break
                }
            }
        }
        while position < text.count, text[position] != separator, text[position] != UInt8(ascii: "\n") {
            row.append(text[position])
            position += 1
        }
    }

    private func labelled(_ labels: [[UInt8]]) -> [UInt8] {
        var lines: [UInt8] = []
        for (index, field) in fields.enumerated() {
            let value = field.trimmedBlanks()
            if value.isEmpty { continue }
            if index < labels.count, !labels[index].isEmpty {
                lines += labels[index]
                lines += ": ".utf8
            }
            lines += value
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }
}
