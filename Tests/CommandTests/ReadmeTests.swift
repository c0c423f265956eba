internal import Foundation
internal import Testing

/// The README's examples, run as they are printed.
@Suite("README.md", .serialized)
struct ReadmeTests {
    /// The fenced blocks of a language, in order.
    private func blocks(_ language: String) throws -> [String] {
        let text = try String(contentsOf: Program.repository.appending(path: "README.md"), encoding: .utf8)
        return text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] }
    }

    @Test("the producer's and the subscriber's Python work together, any number of times")
    func python() async throws {
        let instance = try await Instance.shared.value
        let blocks = try blocks("python")
        try #require(blocks.count == 2)
        let python = try await Program.python()
        let subscriber = try Program(python, ["-c", blocks[1]], environment: instance.environment)
        for run in 1...2 {
            let producer = try await Program(python, ["-c", blocks[0]], environment: instance.environment).end()
            try #require(producer.status == 0, "\(producer.errors)")
            let printed = producer.output.split(separator: "\n")
            #expect(printed.count == 2)
            #expect(printed.first?.contains("'kind': 'tenant.create', 'status': 'succeeded'") == true)
            #expect(printed.last?.contains("'result': {'accepted': 2, 'duplicates': 0}") == true)
            for _ in 0..<600 where subscriber.alerts.count < run { try await Task.sleep(for: .milliseconds(50)) }
            #expect(subscriber.alerts.count == run, "\(subscriber.output) \(subscriber.errors)")
        }
        #expect(Set(subscriber.alerts).count == 2)
        _ = try await subscriber.stop(SIGKILL)
    }

    @Test("the shell's lines work after `. .tenantry/env`")
    func shell() async throws {
        let instance = try await Instance.shared.value
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("readme"))
        try FileManager.default.createDirectory(at: folder.appending(path: ".tenantry"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let variables = instance.environment.map { "\($0)='\($1)'\nexport \($0)\n" }.joined()
        try variables.write(to: folder.appending(path: ".tenantry/env"), atomically: true, encoding: .utf8)
        let blocks = try blocks("sh")
        #expect(blocks.count >= 3)
        for block in blocks {
            let ended = try await Program("/bin/sh", ["-e", "-c", ". .tenantry/env\n" + block], in: folder.path).end()
            #expect(ended.status == 0, "\(block): \(ended.errors)")
            if block.contains("tenantry enqueue") { #expect(ended.output.contains(#""account":"globex""#)) }
            if block.contains("psql") { #expect(ended.output.contains("limit_value")) }
        }
    }

    @Test("the alert printed in it has the keys of a real one, and every command it names exists")
    func names() async throws {
        let text = try String(contentsOf: Program.repository.appending(path: "README.md"), encoding: .utf8)
        let printed = try #require(try JSONSerialization.jsonObject(with: Data(try blocks("json")[0].utf8)) as? [String: Any])
        let instance = try await Instance.shared.value
        let account = newSlug("keys")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":2}"#)
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"T"}"#, token: token)
        try await instance.eventually("select count(*) from tenantry.alerts where account = '\(account)'", is: "1")
        let sent = try await instance.psql("select event from tenantry.alerts where account = '\(account)' limit 1")
        let event = try #require(try JSONSerialization.jsonObject(with: Data(sent.joined().utf8)) as? [String: Any])
        #expect(Set(printed.keys) == Set(event.keys))
        #expect(Set((printed["data"] as? [String: Any] ?? [:]).keys) == Set((event["data"] as? [String: Any] ?? [:]).keys))
        for match in text.matches(of: /`(?:tenantry )?((?:dead|alerts|plans|operator|topology|usage|corpus|tenant|dev) [a-z]+)/) {
            #expect(HelpTests.commands.contains(String(match.1)), "\(match.1)")
        }
    }
}

extension Program {
    /// What the README's subscriber printed about the pools of accounts that its producer made.
    fileprivate var alerts: [Substring] {
        output.split(separator: "\n").filter {
            $0.hasPrefix("tenantry.limit.warning accounts/acme-") && $0.hasSuffix(" messages 50 % 2 of 4")
        }
    }
}
