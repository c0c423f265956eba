internal import Foundation
internal import Glibc

/// A `tenantry worker` of this very executable.
final class WorkerProcess {
    private let process = Process()
    /// The worker's standard input. It ends when this process ends, however that comes about, and then the worker drains.
    private let lifeline = Pipe()

    init(_ variables: [(name: String, value: String)], config: String?) throws {
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["worker", "--until-input-ends"] + (config.map { ["--config", $0] } ?? [])
        process.standardInput = lifeline
        process.environment = ProcessInfo.processInfo.environment.merging(variables.map { ($0.name, $0.value) }) { _, own in own }
        try process.run()
        // Ctrl-C in the terminal is for the session, which then drains the worker.
        setpgid(process.processIdentifier, process.processIdentifier)
    }

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
