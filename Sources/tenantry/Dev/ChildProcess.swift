internal import Foundation
internal import Glibc

/// A command of this very executable that runs beside this one, such as `tenantry worker`.
final class ChildProcess {
    private let process = Process()
    /// Its standard input. It ends when this process ends, however that comes about, and then the other one drains.
    private let lifeline = Pipe()
    private let command: [String]
    private let variables: [(name: String, value: String)]
    private let config: String?

    init(_ command: [String], _ variables: [(name: String, value: String)], config: String?) throws {
        self.command = command
        self.variables = variables
        self.config = config
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = command + ["--until-input-ends"] + (config.map { ["--config", $0] } ?? [])
        process.standardInput = lifeline
        process.environment = ProcessInfo.processInfo.environment.merging(variables.map { ($0.name, $0.value) }) { _, own in own }
        try process.run()
        // Ctrl-C in the terminal is for the session, which then drains its processes.
        setpgid(process.processIdentifier, process.processIdentifier)
    }

    /// The same once more.
    func again() throws -> ChildProcess { try ChildProcess(command, variables, config: config) }

    var isRunning: Bool { process.isRunning }

    var ending: String {
        guard !process.isRunning else { return "still running" }
        return process.terminationReason == .uncaughtSignal
            ? "signal \(process.terminationStatus)" : "exit code \(process.terminationStatus)"
    }

    func stop() async {
        kill(process.processIdentifier, SIGTERM)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [process] in
                process.waitUntilExit()
                continuation.resume()
            }
        }
    }
}
