internal import Contract
internal import Postgres

/// Rows with named columns, printed for people or for programs.
struct Table {
    let columns: [String]
    private(set) var rows: [[JSONValue]] = []

    init(_ columns: [String]) {
        self.columns = columns
    }

    mutating func append(_ row: [JSONValue]) {
        rows.append(row)
    }

    /// A table with aligned columns, or a JSON array of objects.
    func print(_ format: OutputFormat) {
        switch format {
        case .json:
            tenantry.print(json.pretty())
        case .table:
            let texts = [columns] + rows.map { $0.map(\.cell) }
            let widths = columns.indices.map { column in texts.map { $0[column].count }.max() ?? 0 }
            for row in texts {
                let cells = row.enumerated().map { index, cell in
                    let padding = String(repeating: " ", count: widths[index] - cell.count)
                    return isNumeric(index) ? padding + cell : cell + padding
                }
                var line = cells.joined(separator: "  ")
                while line.last == " " { line.removeLast() }
                tenantry.print(line)
            }
        }
    }

    /// An array of objects, one for each row.
    var json: JSONValue {
        .array(rows.map { row in .object(Dictionary(uniqueKeysWithValues: zip(columns, row))) })
    }

    private func isNumeric(_ column: Int) -> Bool {
        rows.contains { row in
            switch row[column] {
            case .int, .double: true
            default: false
            }
        }
    }
}

extension JSONValue {
    /// As it stands in a table: no quotes, nothing for null.
    var cell: String {
        switch self {
        case .null: "-"
        case .string(let text):
            PrintableText.escaped(text.split(whereSeparator: \.isNewline).joined(separator: " "), keepsLines: false)
        case .bool(let value): value ? "yes" : "no"
        case .double(let value): String((value * 100).rounded() / 100)
        default: String(decoding: serialised(), as: UTF8.self)
        }
    }

    /// A `jsonb` as it was read.
    init(_ column: JSONText) throws {
        self = try JSONValue(parsing: Array(column.text.utf8))
    }

    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    static func number(_ number: Int64?) -> JSONValue { number.map { .int($0) } ?? .null }
}
