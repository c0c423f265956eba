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

/// Writes to standard output. It takes the place of Swift's own in this module, so that no text of others steers the reader's terminal.
func print(_ text: String, terminator: String = "\n") {
    Swift.print(PrintableText.escaped(text, keepsLines: true), terminator: terminator)
}

@available(*, unavailable, message: "print a String, whose control characters are written out")
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {}

/// Writes to standard error, where everything goes that is not the command's result.
func writeError(_ text: String) {
    _ = PrintableText.escaped(text, keepsLines: true).withCString { write(STDERR_FILENO, $0, strlen($0)) }
}

/// A line that reaches its reader at once, also through a pipe. Whoever stops reading ends the command, as SIGPIPE would.
func printLine(_ text: String) {
    var line = PrintableText.escaped(text, keepsLines: true) + "\n"
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
