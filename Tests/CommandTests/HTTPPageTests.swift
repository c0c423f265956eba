internal import Embedded
internal import Foundation
internal import Testing

/// The walk through the HTTP API that its page shows in four languages, each as it is printed.
@Suite("The HTTP API's page")
struct HTTPPageTests {
    @Test(
        "a document, a question and a conversation come through, though the API is only started when the client waits to try again",
        arguments: ["sh", "python", "js", "swift"])
    func walk(language: String) async throws {
        let instance = try await Instance.shared.value
        let port = try Loopback.freePorts(1)[0]
        let environment = instance.environment.merging([
            "TENANTRY_API_URL": "http://127.0.0.1:\(port)", "TENANTRY_TOKEN": try await Instance.acme.value,
        ]) { $1 }
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("walk"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let client = try await client(language, environment, folder)
        for _ in 0..<1_200 where client.isRunning && !(client.output + client.errors).contains("retry in") {
            try await Task.sleep(for: .milliseconds(50))
        }
        let api = try Instance.startAPI(instance.environment, port: port)
        let ended = try await client.end()
        #expect(ended.status == 0, "\(ended.output) \(ended.errors)")
        for expected in ["opening-hours", "nine in the morning", "accepted", "duplicates"] {
            #expect(ended.output.contains(expected), "\(ended.output)")
        }
        _ = try await api.stop()
    }

    private func client(_ language: String, _ environment: [String: String], _ folder: URL) async throws -> Program {
        let blocks = try Page.named("HTTP").blocks(language).filter { $0.contains("acme-shop") }
        try #require(blocks.count == 1)
        let file = folder.appending(path: "walk.\(language == "js" ? "mjs" : language)")
        try blocks[0].write(to: file, atomically: true, encoding: .utf8)
        switch language {
        case "sh": return try Program("/bin/sh", ["-e", file.path], environment: environment)
        case "python": return try Program(try await Program.python(), [file.path], environment: environment)
        case "js": return try Program("/usr/bin/env", ["node", file.path], environment: environment)
        default:
            let program = folder.appending(path: "walk").path
            let built = try await Program(
                "/usr/bin/env", ["swiftc", "-swift-version", "6", "-warnings-as-errors", file.path, "-o", program],
                environment: ["HOME": folder.path]
            ).end(within: 300)
            try #require(built.status == 0, "\(built.output) \(built.errors)")
            return try Program(program, [], environment: environment)
        }
    }
}
