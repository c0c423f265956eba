/// Why a private server could not be started, reached or stopped, with what a person needs to go on.
public struct EmbeddedError: Error, Sendable, CustomStringConvertible {
    /// What failed, in one sentence.
    public var message: String
    /// The log of the server that failed.
    public var logPath: String?
    /// The end of that log as it was when the error was made; the log itself may be gone with its throw-away folder.
    public var lastLogLines: [String]
    /// The Debian package to install when a binary isn't there.
    public var missingPackage: String?

    public init(_ message: String, logPath: String? = nil, missingPackage: String? = nil) {
        self.message = message
        self.logPath = logPath
        self.lastLogLines = logPath.map { ServerFile.lastLines(of: $0, count: 20) } ?? []
        self.missingPackage = missingPackage
    }

    public var description: String {
        var lines = [message]
        if let missingPackage {
            lines.append("It comes with the Debian package \(missingPackage): apt-get install \(missingPackage)")
        }
        if let logPath { lines.append("Its log is \(logPath)" + (lastLogLines.isEmpty ? "." : " and ends with:")) }
        return (lines + lastLogLines.map { "    " + $0 }).joined(separator: "\n")
    }

    /// Another process took the port between our choice and the server's own bind: worth another try with new ports.
    var isPortTaken: Bool {
        let log = lastLogLines.joined(separator: "\n").lowercased()
        return ["address already in use", "eaddrinuse", "port_in_use"].contains { log.contains($0) }
    }
}
