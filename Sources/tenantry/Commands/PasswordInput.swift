internal import Glibc

/// A password from standard input: its first line, typed without echo where a terminal is.
enum PasswordInput {
    private static let mostBytes = 4_096

    static func read() throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try line() }
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw Failure("the terminal cannot be silenced: \(systemError())") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
            throw Failure("the terminal cannot be silenced: \(systemError())")
        }
        // Only now: what was typed before the terminal is silent is dropped.
        writeError("Password: ")
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            writeError("\n")
        }
        return try line()
    }

    private static func line() throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        // Byte by byte, so that what follows the line is left unread.
        while bytes.count < mostBytes, Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw Failure("no password came on standard input") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure("the password is not UTF-8") }
        return text
    }
}
