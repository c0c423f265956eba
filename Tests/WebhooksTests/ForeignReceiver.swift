internal import Contract
internal import Foundation
internal import Glibc
internal import Synchronization
internal import TestSupport

/// `Tests/Wire/webhook_receiver.py`: verifies with the public library of Standard Webhooks. It ends with this process.
final class ForeignReceiver {
    /// What the library made of a call.
    struct Call {
        let path: String
        /// nil: it did not hold.
        let event: JSONValue?
        let error: String?
    }

    /// The lines that it printed.
    private final class Printed: Sendable {
        private let text = Mutex("")

        func add(_ more: String) { text.withLock { $0 += more } }

        /// Those that are whole.
        var lines: [String] {
            text.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { String($0) }
        }
    }

    private let process = Process()
    private let output = Pipe()
    private let printed = Printed()
    private let folder: URL
    private(set) var port = 0

    /// - Parameter certificate: files with a certificate and its key, for TLS.
    init(secret: String = "", certificate: (certificate: URL, key: URL)? = nil) async throws {
        folder = URL(filePath: NSTemporaryDirectory()).appending(path: "tenantry-receiver-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        process.executableURL = URL(filePath: ForeignReceiver.python)
        process.arguments =
            [repository.appending(path: "Wire/webhook_receiver.py").path, secretFile.path]
            + (certificate.map { [$0.certificate.path, $0.key.path] } ?? [])
        process.standardOutput = output
        try expect(secret)
        output.fileHandleForReading.readabilityHandler = { [printed] handle in
            printed.add(String(decoding: handle.availableData, as: UTF8.self))
        }
        try process.run()
        let (running, printed) = (process, printed)
        try await eventually("the receiver listens") {
            guard running.isRunning else { throw TestFailure("webhook_receiver.py ended; has `deploy/packages --tests` run?") }
            return !printed.lines.isEmpty
        }
        port = Int(printed.lines[0]) ?? 0
    }

    deinit {
        output.fileHandleForReading.readabilityHandler = nil
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    static var python: String {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return ProcessInfo.processInfo.environment["TENANTRY_PYTHON"] ?? repository.appending(path: ".build/venv/bin/python").path
    }

    private var secretFile: URL { folder.appending(path: "secret") }

    /// The secret that it verifies with from now on.
    func expect(_ secret: String) throws { try secret.write(to: secretFile, atomically: true, encoding: .utf8) }

    var calls: [Call] {
        printed.lines.dropFirst().compactMap { line in
            guard let json = try? JSONValue(parsing: Array(line.utf8)), case .string(let path)? = json["path"] else { return nil }
            var error: String?
            if case .string(let text)? = json["error"] { error = text }
            return Call(path: path, event: json["event"], error: error)
        }
    }
}

/// An authority, and certificates that it signed, in a folder that goes with this.
final class Authority {
    let folder: URL

    init() throws {
        folder = URL(filePath: NSTemporaryDirectory()).appending(path: "tenantry-authority-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -keyout ca.key -out ca.pem")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var file: String { folder.appending(path: "ca.pem").path }

    /// A certificate for a name.
    func certificate(_ name: String) throws -> (certificate: URL, key: URL) {
        try "subjectAltName=DNS:\(name)\n".write(
            to: folder.appending(path: "\(name).ext"), atomically: true, encoding: .utf8)
        try openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
        try openssl(
            "x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \(name).ext -out \(name).pem")
        return (folder.appending(path: "\(name).pem"), folder.appending(path: "\(name).key"))
    }

    private func openssl(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map { String($0) }
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure("openssl \(arguments)") }
    }
}
