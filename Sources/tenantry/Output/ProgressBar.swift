internal import Contract
internal import Glibc

/// A line on standard error that shows how far long work is. Nothing is shown where standard error is no terminal.
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
        guard let total, total > 0 else { return show("\(label) \(done)") }
        let filled = min(Self.width, done * Self.width / total)
        let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: Self.width - filled)
        show("\(label) [\(bar)] \(done) of \(total)")
    }

    /// Over the line as it was.
    private func show(_ line: String) {
        let text = "\r" + PrintableText.escaped(line, keepsLines: false)
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }

    func finish() {
        if isShown { writeError("\n") }
    }
}
