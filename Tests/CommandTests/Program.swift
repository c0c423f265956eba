internal import Foundation
internal import Testing

/// What a program left behind.
struct Ended {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as a JSON value.
    func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    /// Standard output as a JSON array of objects.
    func rows() throws -> [[String: Any]] { try #require(try json() as? [[String: Any]]) }
}

/// A program that runs, its output kept in files. It ends with this process, at the latest.
final class Program {
    let process = Process()
    private let folder: URL
    private let lifeline = Pipe()

    /// - Parameters:
    ///   - input: standard input; nil: a pipe that stays open as long as this process lives.
    ///   - environment: all of it, but for PATH.
    init(
        _ path: String, _ arguments: [String], input: Data? = Data(), environment: [String: String] = [:],
        in directory: String = "/tmp"
    ) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tenantry-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["output", "errors", "input"] {
            _ = FileManager.default.createFile(atPath: folder.appending(path: name).path, contents: name == "input" ? input : nil)
        }
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": Self.searchPath]) { own, _ in own }
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardOutput = try FileHandle(forWritingTo: folder.appending(path: "output"))
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: "errors"))
        if input == nil {
            process.standardInput = lifeline
        } else {
            process.standardInput = try FileHandle(forReadingFrom: folder.appending(path: "input"))
        }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    var pid: Int32 { process.processIdentifier }
    var output: String { text("output") }
    var errors: String { text("errors") }

    /// Waits for the end, without holding a thread; SIGKILL after the time given.
    func end(within seconds: Double = 120) async throws -> Ended {
        let deadline = Date().addingTimeInterval(seconds)
        while process.isRunning {
            if Date() > deadline {
                kill(pid, SIGKILL)
                Issue.record("\(process.arguments ?? []) did not end within \(seconds) s: \(errors)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Ended(status: process.terminationStatus, output: output, errors: errors)
    }

    func stop(_ signal: Int32 = SIGTERM) async throws -> Ended {
        kill(pid, signal)
        return try await end()
    }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: folder.appending(path: name).path) ?? Data(), as: UTF8.self)
    }
}

extension Program {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The built `tenantry`: it lies beside the test bundle.
    static let tenantry: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let folders = [own, CommandLine.arguments[0]].map { URL(filePath: $0).deletingLastPathComponent() }
        let places = (folders + [repository.appending(path: ".build/debug")]).map { $0.appending(path: "tenantry").path }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) } ?? places[0]
    }()
    static let searchPath =
        URL(filePath: tenantry).deletingLastPathComponent().path + ":"
        + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")

    /// Runs `tenantry` to its end.
    static func tenantry(
        _ arguments: String..., input: String = "", environment: [String: String] = [:], in directory: String = "/tmp"
    ) async throws -> Ended {
        try await Program(tenantry, arguments, input: Data(input.utf8), environment: environment, in: directory).end()
    }

    /// A Python that can import pika: `TENANTRY_PYTHON`, or what `deploy/packages --tests` makes, or the one on PATH.
    static func python() async throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let places =
            [environment["TENANTRY_PYTHON"], repository.appending(path: ".build/venv/bin/python").path].compactMap { $0 }
            + Self.searchPath.split(separator: ":").map { "\($0)/python3" }
        for place in places where FileManager.default.isExecutableFile(atPath: place) {
            if try await Program(place, ["-c", "import pika"]).end().status == 0 { return place }
        }
        Issue.record("no Python can import pika: run `deploy/packages --tests`, or name one in TENANTRY_PYTHON")
        throw CancellationError()
    }
}
