internal import ArgumentParser
internal import Contract
internal import Glibc

/// How a command prints what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

struct OutputOptions: ParsableArguments {
    @Option(help: "How to print: table or json.")
    var format = OutputFormat.table
}

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
            let objects = rows.map { row in JSONValue.object(Dictionary(uniqueKeysWithValues: zip(columns, row))) }
            Swift.print(JSONValue.array(objects).pretty())
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
                Swift.print(line)
            }
        }
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
        case .string(let text): text.split(whereSeparator: \.isNewline).joined(separator: " ")
        case .bool(let value): value ? "yes" : "no"
        case .double(let value): String((value * 100).rounded() / 100)
        default: String(decoding: serialised(), as: UTF8.self)
        }
    }

    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
    static func number(_ number: Int64?) -> JSONValue { number.map { .int($0) } ?? .null }
}

/// A line on standard error that shows how far long work is. Silent where nobody watches.
struct ProgressBar {
    private static let width = 30
    private let label: String
    private let total: Int?
    private let isShown = isatty(STDERR_FILENO) == 1
    private var lastTenth = -1

    init(_ label: String, total: Int?) {
        self.label = label
        self.total = total
    }

    mutating func update(_ done: Int) {
        guard isShown else { return }
        let tenth = total.map { $0 > 0 ? done * 1_000 / $0 : 0 } ?? done / 100
        guard tenth != lastTenth else { return }
        lastTenth = tenth
        guard let total, total > 0 else { return writeError("\r\(label) \(done)") }
        let filled = min(Self.width, done * Self.width / total)
        let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: Self.width - filled)
        writeError("\r\(label) [\(bar)] \(done) of \(total)")
    }

    func finish() {
        if isShown { writeError("\n") }
    }
}

/// For what is not the command's result: standard error.
func writeError(_ text: String) {
    _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
}

/// A line that reaches its reader at once, also through a pipe. Whoever stops reading ends the command, as SIGPIPE would.
func printLine(_ text: String) {
    var line = text + "\n"
    line.withUTF8 { bytes in
        var written = 0
        while written < bytes.count {
            let count = write(STDOUT_FILENO, bytes.baseAddress! + written, bytes.count - written)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { exit(errno == EPIPE ? 128 + SIGPIPE : 1) }
            written += count
        }
    }
}
