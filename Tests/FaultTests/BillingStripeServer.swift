internal import Foundation
internal import Glibc
internal import TestSupport

/// localstripe from PyPI, in a process of its own, on 127.0.0.1. It ends with this one.
final class StripeServer {
    struct Request: Decodable {
        var step: String
        var path: String
        var account: String
        var key: String?
        var form: [String: String]
        var authorization: String?
        var version: String?
        var type: String?
        var replayed: Bool?
    }

    struct Invoice: Decodable {
        struct Line: Decodable {
            struct Period: Decodable {
                var start: Int
                var end: Int
            }
            var amount: Int
            var description: String
            var period: Period
        }
        var id: String
        var account: String?
        var status: String
        var subtotal: Int
        var currency: String
        var daysUntilDue: Int?
        var metadata: [String: String]
        var customer: String
        var description: String?
        var lines: [Line]
    }

    struct Customer: Decodable {
        var id: String
        var account: String?
        var name: String?
        var email: String?
        var metadata: [String: String]
    }

    static let key = "sk_test_hidden"
    private let process = Process()
    private let folder: URL
    private let input = Pipe()
    let port: Int

    init() async throws {
        folder = URL(filePath: NSTemporaryDirectory()).appending(path: "tenantry-stripe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = folder.appending(path: "stripe.py")
        try Self.script.write(to: script, atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: folder.appending(path: "log").path, contents: nil)
        let log = try FileHandle(forWritingTo: folder.appending(path: "log"))
        process.executableURL = URL(filePath: Self.python())
        process.arguments = [script.path, folder.path]
        process.standardInput = input
        process.standardOutput = log
        process.standardError = log
        try process.run()
        let (running, place) = (process, folder)
        try await eventually("localstripe listens") {
            guard running.isRunning else {
                let log = (try? String(contentsOf: place.appending(path: "log"), encoding: .utf8)) ?? ""
                throw TestFailure("localstripe ended; has `deploy/packages --tests` run? \(log.suffix(2_000))")
            }
            return FileManager.default.fileExists(atPath: place.appending(path: "port").path)
        }
        port = try JSONDecoder().decode(Int.self, from: Data(contentsOf: folder.appending(path: "port")))
    }

    deinit {
        if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// What a worker must be told to send its invoices here.
    var environment: [String: String] {
        [
            "TENANTRY_STRIPE_KEY": Self.key, "TENANTRY_STRIPE_URL": "http://127.0.0.1:\(port)",
            "TENANTRY_STRIPE_TIMEOUT_SECONDS": "2", "TENANTRY_STRIPE_DAYS_UNTIL_DUE": "21",
        ]
    }

    func requests() throws -> [Request] { try read("requests") }
    func invoices() throws -> [Invoice] { try read("invoices") }
    func customers() throws -> [Customer] { try read("customers") }

    /// Those of one connected account.
    func invoices(of account: String) throws -> [Invoice] { try invoices().filter { $0.account == account } }

    private func read<Value: Decodable>(_ name: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: name)))
    }

    /// `TENANTRY_PYTHON`, or what `deploy/packages --tests` makes.
    private static func python() -> String {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return ProcessInfo.processInfo.environment["TENANTRY_PYTHON"] ?? repository.appending(path: ".build/venv/bin/python").path
    }
}
