internal import ArgumentParser
internal import Contract
internal import Usage

/// How usage is printed: as other tables, or for spreadsheets.
enum UsageFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
}

enum UsageBucket: String, ExpressibleByArgument, CaseIterable {
    case hour, day, month

    var bucket: UsageReport.Bucket {
        switch self {
        case .hour: .hour
        case .day: .day
        case .month: .month
        }
    }
}

extension Table {
    func print(as format: UsageFormat) {
        switch format {
        case .table: print(OutputFormat.table)
        case .json: print(OutputFormat.json)
        // Its own line ends are no line feeds alone; the fields are escaped already.
        case .csv: Swift.print(csv, terminator: "")
        }
    }

    /// With a header line, lines that end with CRLF, and quotes where they are needed. Source: RFC 4180.
    private var csv: String {
        let lines = [columns] + rows.map { $0.map(\.field) }
        return lines.map { line in line.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func quoted(_ text: String) -> String {
        let field = PrintableText.escaped(text, keepsLines: true)
        guard field.utf8.contains(where: { #",""#.utf8.contains($0) || $0 == 10 || $0 == 13 }) else { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}

extension JSONValue {
    /// As it stands in a field of CSV: nothing for null.
    fileprivate var field: String {
        switch self {
        case .null: ""
        case .string(let text): text
        default: String(decoding: serialised(), as: UTF8.self)
        }
    }
}
