internal import Foundation
internal import Glibc
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
///
/// Not Foundation's `Process`: that waits until nobody holds a certain descriptor any more, and so for what the program leaves running.
final class Program {
    let pid: Int32
    private let name: String
    private let files: [FileHandle]
    private var lifeline: Int32?
    private var status: Int32?

    /// - Parameters:
    ///   - input: standard input; nil: a pipe that stays open as long as this process lives.
    ///   - environment: all of it, but for PATH.
    init(
        _ path: String, _ arguments: [String], input: Data? = Data(), environment: [String: String] = [:],
        in directory: String = "/tmp"
    ) throws {
        name = ([path] + arguments).joined(separator: " ")
        let folder = FileManager.default.temporaryDirectory.appending(path: "tenantry-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The files live on without names, for as long as somebody has them open.
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["output", "errors"] { try Data().write(to: folder.appending(path: name)) }
        files = try ["output", "errors"].map { try FileHandle(forReadingFrom: folder.appending(path: $0)) }
        try (input ?? Data()).write(to: folder.appending(path: "input"))
        var actions = SpawnActions()
        var reading: Int32?
        defer { if let reading { close(reading) } }
        if input == nil {
            let ends = try Self.makePipe()
            reading = ends.reading
            lifeline = ends.writing
            actions.duplicate(ends.reading, to: 0)
        } else {
            actions.open(folder.appending(path: "input").path, O_RDONLY, as: 0)
        }
        actions.open(folder.appending(path: "output").path, O_WRONLY | O_CREAT, as: 1)
        actions.open(folder.appending(path: "errors").path, O_WRONLY | O_CREAT, as: 2)
        actions.enter(directory)
        pid = try actions.start(path, arguments, environment.merging(["PATH": Self.searchPath]) { own, _ in own })
    }

    deinit {
        if isRunning {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        if let lifeline { close(lifeline) }
    }

    var output: String { text(files[0]) }
    var errors: String { text(files[1]) }

    var isRunning: Bool {
        var raw: Int32 = 0
        if status == nil, waitpid(pid, &raw, WNOHANG) == pid { status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + raw & 0x7f }
        return status == nil
    }

    /// Waits for the end, without holding a thread; SIGKILL after the time given.
    func end(within seconds: Double = 120) async throws -> Ended {
        let deadline = Date().addingTimeInterval(seconds)
        while isRunning {
            if Date() > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
                status = 128 + SIGKILL
                Issue.record("\(name) did not end within \(seconds) s: \(errors)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Ended(status: status ?? 0, output: output, errors: errors)
    }

    func stop(_ signal: Int32 = SIGTERM) async throws -> Ended {
        if isRunning { kill(pid, signal) }
        return try await end()
    }

    private static func makePipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private func text(_ file: FileHandle) -> String {
        try? file.seek(toOffset: 0)
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
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
