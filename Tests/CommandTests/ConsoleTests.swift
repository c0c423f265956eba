internal import Foundation
internal import TestSupport
internal import Testing

/// The console as its users have it: in Debian's chromium, with the sample of `config/samples`.
@Suite("The console in a browser", .serialized)
struct ConsoleTests {
    /// With the sample, once for all of these tests.
    private static let sample = Task {
        let instance = try await Instance(["TENANTRY_API_REQUESTS_PER_MINUTE": "10000000"])
        let plans = try await Program.tenantry(
            "plans", "apply", environment: instance.environment, in: Program.repository.path)
        guard plans.status == 0 else { throw TestFailure(plans.errors) }
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("sample"))
        let sent = try await Program(
            "/usr/bin/python3",
            [Program.repository.appending(path: "deploy/sample").path, "--program", Program.tenantry, "--folder", folder.path],
            environment: instance.environment
        ).end(within: 300)
        guard sent.status == 0 else { throw TestFailure(sent.errors) }
        func kept(_ name: String) throws -> String { try String(contentsOf: folder.appending(path: name), encoding: .utf8) }
        let credentials = [
            "--operator", instance.operatorToken, "--account", try kept("account-lindenhof-digital"),
            "--tenant", "desk@elsterblick.example", try kept("password-desk@elsterblick.example"),
        ]
        try await addHostile(to: instance, token: try kept("account-lindenhof-digital"))
        try FileManager.default.removeItem(at: folder)
        return (instance, credentials)
    }

    /// A chatbot, the first of its account's by its name, all of whose texts would do harm if a page took them for more than texts.
    private static func addHostile(to instance: Instance, token: String) async throws {
        let (name, text) = (hostile, hostile + "\u{202E}\u{200B}" + String(repeating: "W", count: 400))
        let tenant = "lindenhof-a-stranger"
        let sent = ISO8601DateFormatter().string(from: Date())
        let jobs: [(kind: String, payload: [String: Any], tenant: String?)] = [
            ("tenant.create", ["slug": tenant, "display_name": name, "settings": [name: text]], nil),
            (
                "corpus.ingest",
                [
                    "documents": [
                        [
                            "external_id": name, "title": name, "media_type": "text/plain", "content": text, "tags": [name],
                            "segment": name,
                        ]
                    ]
                ], tenant
            ),
            (
                "conversation.log",
                [
                    "conversation_id": name, "channel": name,
                    "messages": [
                        ["id": "m1", "role": "user", "content": text, "user_id": name, "sent_at": sent],
                        ["id": "m2", "role": "assistant", "content": text, "sent_at": sent],
                    ],
                ], tenant
            ), ("template.save", ["name": "A" + name, "settings": [name: text]], nil),
            ("token.issue", ["name": name, "scopes": ["usage:read"]], tenant),
        ]
        for job in jobs {
            let payload = String(decoding: try JSONSerialization.data(withJSONObject: job.payload), as: UTF8.self)
            let answer = try await instance.ask(job.kind, payload, tenant: job.tenant, token: token)
            guard answer["status"] as? String == "succeeded" else { throw TestFailure("\(job.kind): \(answer)") }
        }
    }

    private static let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)><a href=javascript:alert(3)>"

    private func run(_ mode: String, _ more: String...) async throws {
        let (instance, credentials) = try await Self.sample.value
        let origin = try #require(instance.environment["TENANTRY_API_URL"])
        let ended = try await Program(
            try await Program.python(), [Program.wire("console.py"), mode, origin] + credentials + more,
            environment: instance.environment
        ).end(within: 1_200)
        #expect(ended.status == 0, "\(ended.output) \(ended.errors)")
        print("console \(mode):", ended.output)
    }

    @Test("each page for each role: wide and narrow, light and dark, for everybody, with nothing from elsewhere")
    func pages() async throws { try await run("pages") }

    @Test("what people come for, with scripts and without")
    func walks() async throws { try await run("walks") }

    @Test("a page follows what happens, as long as somebody looks; keys lead where they should")
    func live() async throws { try await run("live") }
}
