internal import Embedded
internal import Foundation
internal import Testing

/// Every process, zombies included, whose command line or environment names the directory: a server, its children, a watchdog's `rm`.
func processes(of directory: String) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { pid in
        pid != getpid()
            && ["cmdline", "environ"].contains { name in
                guard let file = FileHandle(forReadingAtPath: "/proc/\(pid)/\(name)"), let data = try? file.readToEnd() else {
                    return false
                }
                return String(decoding: data, as: UTF8.self).contains(directory)
            }
    }
}

func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

/// Children of this process that have ended without anyone having read their end.
func zombies() throws -> String {
    try run("/bin/ps", "-o", "pid=,stat=,comm=", "--ppid", "\(getpid())").split(separator: "\n").filter { $0.contains(" Z") }
        .joined(separator: "\n")
}

/// Asks every 50 ms until the condition holds.
func eventually(seconds: Double = 30, _ condition: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        if ContinuousClock.now >= deadline { return false }
        try await Task.sleep(for: .milliseconds(50))
    }
    return true
}

@discardableResult
func run(_ program: String, _ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    (process.executableURL, process.arguments, process.standardOutput) = (URL(filePath: program), arguments, output)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}

/// The owner program lies beside the test bundle.
func ownerProgram() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folders = [own, CommandLine.arguments[0]].map { URL(filePath: $0).deletingLastPathComponent() }
    return try #require(folders.map { $0.appending(path: "EmbeddedOwner").path }.first(where: isThere))
}

func temporaryDirectory() -> String { "/tmp/tenantry-test-\(UUID().uuidString.prefix(8))" }
