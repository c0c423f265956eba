internal import Fleet
internal import Foundation
internal import Glibc
internal import Jobs
internal import TestSupport

/// A worker, or an API, in a process of its own, so that it can be killed. What it logs is kept for the failure's message.
final class WorkerProcess {
    enum Program: String {
        /// The product's own executable.
        case tenantry
        /// The same families, with jobs that kill or delay; see its `main.swift`.
        case doomed = "DoomedWorker"
    }

    enum Ending: Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    private let process = Process()
    private let folder: URL
    private var logPath: String { folder.appending(path: "log").path }

    /// - Parameters:
    ///   - command: what the product's own executable is to be.
    ///   - mostBytes: the most memory that it may write to (`RLIMIT_DATA`), the stacks of its threads among it; nil: as much as there is.
    ///   - environment: over the URLs and short retries; nothing of ours is inherited.
    init(
        _ program: Program = .tenantry, command: String = "worker", broker: String, database: String, mostBytes: Int? = nil,
        _ environment: [String: String] = [:]
    ) throws {
        folder = URL(filePath: NSTemporaryDirectory()).appending(path: "tenantry-worker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: folder.appending(path: "log").path, contents: nil)
        let log = try FileHandle(forWritingTo: folder.appending(path: "log"))
        process.executableURL = URL(filePath: try Self.path(of: program))
        process.arguments = program == .tenantry ? [command] : []
        if let mostBytes {
            // It becomes the program, under the same process id.
            process.arguments = ["--data=\(mostBytes)", try Self.path(of: program)] + (process.arguments ?? [])
            process.executableURL = URL(filePath: "/usr/bin/prlimit")
        }
        // No settings file lies here.
        process.currentDirectoryURL = folder
        process.environment = [
            "TENANTRY_AMQP_URL": broker, "TENANTRY_DATABASE_URL": database,
            "TENANTRY_WORKER_DATABASE_URL": TestDatabase.workerURL(of: database), "TENANTRY_HTTP_PORT": "0",
            "TENANTRY_LOG_LEVEL": "warning",
            "TENANTRY_RETRY_DELAYS_MS": TestFleet.ladder.delaysMilliseconds.map { "\($0)" }.joined(separator: ","),
            "PATH": "/usr/bin:/bin",
        ].merging(environment) { _, own in own }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
    }

    deinit {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// The most memory that it has had in use so far, in bytes: `VmHWM` of `/proc`.
    func peakBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        guard let found = status.firstMatch(of: /VmHWM:\s+(\d+) kB/), let kilobytes = Int(found.1) else {
            throw TestFailure("no peak of worker \(pid)")
        }
        return kilobytes << 10
    }

    /// Sends SIGKILL and waits for the end.
    func kill() async throws {
        Glibc.kill(pid, SIGKILL)
        _ = try await ending(within: 10)
    }

    /// Sends SIGTERM and waits for the end.
    func terminate(within seconds: Double) async throws -> Ending {
        Glibc.kill(pid, SIGTERM)
        return try await ending(within: seconds)
    }

    func ending(within seconds: Double) async throws -> Ending {
        do {
            try await eventually("worker \(pid) ends", within: seconds) { !process.isRunning }
        } catch {
            throw TestFailure("\(error)\n\(log.suffix(3_000))")
        }
        return process.terminationReason == .exit ? .exit(process.terminationStatus) : .signal(process.terminationStatus)
    }

    /// The executables lie beside the test bundle, or beside the tool that runs it.
    static func path(of program: Program) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let places = [own, CommandLine.arguments[0]].map {
            URL(filePath: $0).deletingLastPathComponent().appending(path: program.rawValue).path
        }
        guard let path = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw TestFailure("\(program.rawValue) is not beside the tests: \(places)")
        }
        return path
    }
}
