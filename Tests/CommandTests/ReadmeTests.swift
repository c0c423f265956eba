internal import Foundation
internal import Testing

/// The examples of README.md and of the pages about `tenantry`, run as they are printed.
@Suite("README.md and its pages", .serialized)
struct ReadmeTests {

    @Test("the producer's and the subscriber's Python work together, any number of times")
    func python() async throws {
        let instance = try await Instance.shared.value
        let blocks = try Page.readme().blocks("python")
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

    @Test("the shell's lines work: those that start servers by themselves, the others after `. .tenantry/env`")
    func shell() async throws {
        let instance = try await Instance.shared.value
        let token = try await Instance.acme.value
        try await closeOctober(of: "acme", on: instance)
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("readme"))
        let hidden = folder.appending(path: ".tenantry")
        try FileManager.default.createDirectory(at: hidden, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let config = Program.repository.appending(path: "config")
        try FileManager.default.createSymbolicLink(at: folder.appending(path: "config"), withDestinationURL: config)
        let text = instance.environment.map { "\($0)='\($1)'\nexport \($0)\n" }.joined()
        for block in try Page.all().flatMap({ $0.blocks("sh") }) {
            let isOwn = block.contains("tenantry dev")
            try? FileManager.default.removeItem(at: hidden)
            if !isOwn {
                try FileManager.default.createDirectory(at: hidden, withIntermediateDirectories: true)
                // An account's credential, where one is to be there already.
                let needsToken = block.contains("$TENANTRY_TOKEN") && !block.contains("TENANTRY_TOKEN=")
                let more = needsToken ? "TENANTRY_TOKEN='\(token)'\n" : ""
                try (text + more).write(to: hidden.appending(path: "env"), atomically: true, encoding: .utf8)
            }
            let ended = try await Program("/bin/sh", ["-e", "-c", (isOwn ? "" : ". .tenantry/env\n") + block], in: folder.path)
                .end()
            #expect(ended.status == 0, "\(block): \(ended.output) \(ended.errors)")
            if block.contains("globex") { #expect(ended.output.contains(#""account":"globex""#)) }
            if block.contains("psql") { #expect(ended.output.contains("limit_value")) }
            if block.contains("invoice show") { #expect(ended.output.contains("acme.2026-10")) }
        }
        let exported = try String(contentsOf: folder.appending(path: "northwind-1.jsonl"), encoding: .utf8)
        #expect(exported.contains("Open on Saturdays until noon."))
    }

    /// What the invoices of the examples are about: an account that was there in October.
    private func closeOctober(of account: String, on instance: Instance) async throws {
        let price =
            #"{"currency":"EUR","base":0,"metrics":{"messages":{"included":0,"mode":"volume","tiers":[{"up_to":null,"per_thousand":9000}]}}}"#
        _ = try await instance.psql("update tenantry.plans set price = '\(price)' where name = 'enterprise'")
        _ = try await instance.psql("update tenantry.accounts set created_at = '2026-09-01' where slug = '\(account)'")
        _ = try await instance.psql(
            """
            insert into tenantry.tenant_usage (tenant, account, period_start, period_end, messages)
            values ('\(account)-shop', '\(account)', '2026-10-01', '2026-11-01', 7)
            """)
    }

    @Test("every command has an example among them")
    func everyCommand() throws {
        let examples = try Page.all().flatMap { $0.blocks("sh") }.joined(separator: "\n")
        let groups = Set(HelpTests.commands.compactMap { $0.split(separator: " ").count > 1 ? $0.split(separator: " ")[0] : nil })
        for command in HelpTests.commands where !groups.contains(Substring(command)) {
            let called = command == "dev start" ? "dev --detach" : command
            #expect(examples.contains("tenantry \(called)"), "\(command)")
        }
    }

    @Test("the alert that is printed has the keys of a real one")
    func alert() async throws {
        let block = try Page.readme().blocks("json")[0]
        let printed = try #require(try JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: Any])
        let instance = try await Instance.shared.value
        let account = newSlug("keys")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":2}"#)
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"T"}"#, token: token)
        try await instance.eventually("select count(*) from tenantry.alerts where account = '\(account)'", is: "1")
        let sent = try await instance.psql("select event from tenantry.alerts where account = '\(account)' limit 1")
        let event = try #require(try JSONSerialization.jsonObject(with: Data(sent.joined().utf8)) as? [String: Any])
        #expect(Set(printed.keys) == Set(event.keys))
        #expect(Set((printed["data"] as? [String: Any] ?? [:]).keys) == Set((event["data"] as? [String: Any] ?? [:]).keys))
    }
}

extension Program {
    /// What the subscriber of README.md printed about the pools of accounts that its producer made.
    fileprivate var alerts: [Substring] {
        output.split(separator: "\n").filter {
            $0.hasPrefix("tenantry.limit.warning accounts/acme-") && $0.hasSuffix(" messages 50 % 2 of 4")
        }
    }
}
