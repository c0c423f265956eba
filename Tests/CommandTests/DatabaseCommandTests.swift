internal import Foundation
internal import Schema
internal import TestSupport
internal import Testing

@Suite("Commands that make and change a database and a broker")
struct DatabaseCommandTests {
    /// Servers with nothing in them, to the end of the body.
    private func withEmptyServers(_ body: ([String: String]) async throws -> Void) async throws {
        let virtualHost = try await TestServers.shared.virtualHost()
        defer { withExtendedLifetime(virtualHost) {} }
        try await body([
            "TENANTRY_AMQP_URL": virtualHost.url, "TENANTRY_DATABASE_URL": try await TestServers.shared.databaseURL(),
        ])
    }

    private func call(_ line: String, _ environment: [String: String]) async throws -> Ended {
        try await Program(
            Program.tenantry, line.split(separator: " ").map { String($0) }, environment: environment, in: Program.repository.path
        ).end(within: 60)
    }

    @Test("from nothing: every command says to run migrate, migrate runs twice, topology twice, plans twice")
    func fromNothing() async throws {
        try await withEmptyServers(fromNothing)
    }

    private func fromNothing(_ environment: [String: String]) async throws {
        for command in [
            "status", "usage show", "alerts list", "alerts replay --since 2026-01-01T00:00:00Z", "plans apply", "plans list",
            "tenant list", "tenant show a", "tenant export a", "template list", "admin list", "audit list", "invoice list",
            "operator issue", "operator list", "corpus search a b", "corpus list a", "conversation list a",
            "conversation show a b", "job show a", "admin sessions a", "admin end-session a", "token list a", "account list",
            "worker --http-port 0",
        ] {
            let ended = try await call(command, environment)
            #expect(ended.status == 1, "\(command)")
            #expect(ended.errors.contains("run `tenantry migrate`"), "\(command): \(ended.errors)")
        }
        #expect(
            try await call("migrate", environment).output.hasPrefix(
                "control schema: \(Migration.control.count) migrations applied"))
        #expect(
            try await call("migrate --parallel 2", environment).output
                == "control schema: 0 migrations applied; tenants: 0 brought up to date\n")
        for _ in 0..<2 {
            let declared = try await call("topology apply", environment)
            #expect(declared.status == 0)
            #expect(declared.output.hasPrefix("topology declared on amqp://"))
            #expect(!declared.output.contains(environment["TENANTRY_AMQP_URL"]!), "the password is hidden")
            #expect(try await call("plans apply", environment).output == "3 plans applied from config/plans.yaml\n")
        }
        let plans = try await call("plans list --format json", environment).rows()
        #expect(Set(plans.compactMap { $0["plan"] as? String }) == ["pro", "enterprise", "enterprise-plus"])
        #expect(try await call("status", environment).output.contains("no worker is running"))
    }

    @Test(
        "a mistake in the plans names the file and the key, and changes nothing",
        arguments: [
            ("plans: [", "is not YAML"), ("", "plans: is missing"), ("plans: 3", "plans: must be a mapping"),
            ("plan: {}", "plan: there is no such key here"),
            ("plans: {a: {limit: {}}}", "plans.a.limit: there is no such key here; there are display_name, thresholds, limits"),
            ("plans: {a: {limits: {mesages: {limit: 3, mode: soft}}}}", "plans.a.limits.mesages: there is no such metric"),
            (
                "plans: {a: {limits: {messages: {limit: many, mode: soft}}}}",
                "plans.a.limits.messages.limit: must be a whole number"
            ),
            (
                "plans: {a: {limits: {messages: {limit: 1.5, mode: soft}}}}",
                "plans.a.limits.messages.limit: must be a whole number"
            ),
            ("plans: {a: {limits: {messages: {limit: -1, mode: soft}}}}", "plans.a.limits.messages.limit: must be 0 or more"),
            ("plans: {a: {limits: {messages: {limit: 1}}}}", "plans.a.limits.messages: mode is missing"),
            ("plans: {a: {limits: {messages: {mode: soft}}}}", "plans.a.limits.messages: limit is missing"),
            ("plans: {a: {limits: {messages: {limit: 1, mode: firm}}}}", "plans.a.limits.messages.mode: must be soft or hard"),
            ("plans: {a: {limits: {messages: 3}}}", "plans.a.limits.messages: must be a mapping"),
            ("plans: {a: {thresholds: [50, 50]}}", "plans.a.thresholds: must be percentages from 1 to 100, ascending"),
            ("thresholds: [0, 100]\nplans: {}", "thresholds: must be percentages from 1 to 100, ascending"),
            ("thresholds: 50\nplans: {}", "thresholds: must be a list"),
        ])
    func brokenPlans(_ text: String, _ complaint: String) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("plans"))
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        // The file is read before the database is asked for anything.
        let ended = try await call("plans apply --file \(file.path)", ["TENANTRY_DATABASE_URL": "postgresql://127.0.0.1:1/d"])
        #expect(ended.status == 1)
        #expect(ended.errors.hasPrefix("Error: \(file.path): \(complaint)"), "\(ended.errors)")
    }

    @Test("a worker that cannot have its port, or knows no such family, ends with 1 and says why")
    func workers() async throws {
        let instance = try await Instance.shared.value
        let taken = try await Program(
            Program.tenantry, ["worker", "--http-port", instance.httpPort], environment: instance.environment
        ).end(within: 60)
        #expect(taken.status == 1)
        #expect(taken.errors.contains("--http-port"), "\(taken.errors)")
        for (families, complaint) in [
            ("account,cats", "there is no family \"cats\""), ("", "no family is named"), (",", "no family is named"),
        ] {
            let ended = try await instance.tenantry("worker", "--families", families)
            #expect(ended.status == 1)
            #expect(ended.errors.contains(complaint), "\(ended.errors)")
        }
    }

    @Test(
        "a worker of some families takes their lanes alone, drains on SIGTERM and SIGINT, and ends with 0",
        arguments: [SIGTERM, SIGINT])
    func drain(_ signal: Int32) async throws {
        let instance = try await Instance.shared.value
        let worker = try Instance.startWorker(instance.environment, "--families", "usage, corpus", "--lanes", "2")
        let port = try await Instance.port(of: worker)
        let ready = try await Instance.get("http://127.0.0.1:\(port)/ready").body
        let lanes = ready.matches(of: /"([a-z]+-\d)"/).map { String($0.1) }.sorted()
        #expect(lanes == ["corpus-0", "corpus-1", "usage-0", "usage-1"])
        let ended = try await worker.stop(signal)
        #expect(ended.status == 0)
        #expect(ended.errors.contains("worker drained"))
    }

    @Test("contract prints the AsyncAPI document, with every kind in it")
    func contract() async throws {
        let ended = try await Program.tenantry("contract")
        let document = try #require(try ended.json() as? [String: Any])
        #expect((document["asyncapi"] as? String)?.hasPrefix("3.") == true)
        for kind in ["account.create", "tenant.create", "token.revoke", "corpus.ingest", "conversation.log", "usage.aggregate"] {
            #expect(ended.output.contains("\"\(kind)\""))
        }
    }
}
