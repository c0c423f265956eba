internal import Foundation
internal import Testing

@Suite("Settings")
struct SettingsTests {
    /// Commands that cannot do without a server, and the variable that names it.
    private static let needs: [(String, String)] = [
        ("status", "TENANTRY_AMQP_URL"), ("worker", "TENANTRY_AMQP_URL"), ("api", "TENANTRY_DATABASE_URL"),
        ("topology apply", "TENANTRY_AMQP_URL"),
        ("dead show x", "TENANTRY_AMQP_URL"), ("dead list", "TENANTRY_DATABASE_URL"), ("dead count", "TENANTRY_DATABASE_URL"),
        ("dead show x", "TENANTRY_AMQP_URL"), ("dead replay x", "TENANTRY_AMQP_URL"),
        ("dead discard x", "TENANTRY_AMQP_URL"), ("alerts tail", "TENANTRY_AMQP_URL"),
        ("enqueue account.create", "TENANTRY_AMQP_URL"),
        ("migrate", "TENANTRY_DATABASE_URL"), ("plans list", "TENANTRY_DATABASE_URL"),
        ("operator issue", "TENANTRY_DATABASE_URL"),
        ("operator revoke x", "TENANTRY_DATABASE_URL"), ("operator list", "TENANTRY_DATABASE_URL"),
        ("alerts list", "TENANTRY_DATABASE_URL"),
        ("alerts replay --since 2026-01-01T00:00:00Z", "TENANTRY_DATABASE_URL"), ("usage show", "TENANTRY_DATABASE_URL"),
        ("tenant list", "TENANTRY_DATABASE_URL"), ("corpus search a b", "TENANTRY_DATABASE_URL"),
    ]

    private func call(_ line: String, _ environment: [String: String] = [:], in directory: String = "/tmp") async throws -> Ended
    {
        try await Program(
            Program.tenantry, line.split(separator: " ").map { String($0) }, environment: environment, in: directory
        ).end(within: 30)
    }

    /// One sentence, the exit code of what was not done.
    private func expectFailure(_ ended: Ended, _ text: String, _ what: Comment? = nil) {
        #expect(ended.status == 1, what)
        #expect(ended.output.isEmpty, what)
        #expect(ended.errors.hasPrefix("Error: "), what)
        #expect(ended.errors.contains(text), "\(ended.errors)")
        #expect(ended.errors.split(separator: "\n").count == 1, "\(ended.errors)")
    }

    @Test("a missing server is named with the variable and the option that would set it", arguments: needs)
    func missing(_ command: String, _ variable: String) async throws {
        let ended = try await call(command)
        expectFailure(ended, variable)
        #expect(ended.errors.contains(variable == "TENANTRY_AMQP_URL" ? "--amqp-url" : "--database-url"))
    }

    @Test("a server that does not answer is named, at once", arguments: needs)
    func unreachable(_ command: String, _ variable: String) async throws {
        guard !["worker", "api"].contains(command) else { return }  // They wait for their servers.
        let ended = try await call(
            command + (command.hasPrefix("enqueue") ? " --payload /proc/self/stat --token k.s" : ""),
            [
                "TENANTRY_AMQP_URL": "amqp://u:hidden@127.0.0.1:1/v",
                "TENANTRY_DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/d",
            ])
        expectFailure(ended, variable == "TENANTRY_AMQP_URL" ? "the broker cannot be used" : "the database cannot be used")
        #expect(!ended.errors.contains("hidden"))
    }

    @Test(
        "a URL that is none is refused without quoting it",
        arguments: ["http://u:hidden@h", "u:hidden@h", "amqp://u:hidden@h:port", "amqp://u:hidden@h:0/v", "amqp://u:hid%zzden@h"])
    func badBrokerURL(_ url: String) async throws {
        for command in ["topology apply", "alerts tail", "dead show x"] {
            let ended = try await call(command, ["TENANTRY_AMQP_URL": url])
            expectFailure(ended, "TENANTRY_AMQP_URL")
            #expect(!ended.errors.contains("hidden"))
        }
    }

    @Test(
        "a database URL that is none is refused without quoting it",
        arguments: ["mysql://u:hidden@h", "hidden", "postgresql://u:hidden@h:port/d"])
    func badDatabaseURL(_ url: String) async throws {
        let ended = try await call("usage show", ["TENANTRY_DATABASE_URL": url])
        expectFailure(ended, "database")
        #expect(!ended.errors.contains("hidden"))
    }

    @Test(
        "a server on another machine is refused without TLS, unless that is allowed",
        arguments: [
            ("TENANTRY_AMQP_URL", "amqp://u:hidden@broker.invalid", "topology apply", "amqp.insecure"),
            ("TENANTRY_AMQP_URL", "amqp://u:hidden@10.0.0.1", "alerts tail", "amqp.insecure"),
            ("TENANTRY_DATABASE_URL", "postgresql://u:hidden@database.invalid/d", "usage show", "database.insecure"),
            ("TENANTRY_DATABASE_URL", "host=127.0.0.1,database.invalid password=hidden", "usage show", "database.insecure"),
            (
                "TENANTRY_DATABASE_URL", "postgresql://u:hidden@database.invalid/d?sslmode=prefer", "usage show",
                "database.insecure"
            ),
        ])
    func insecure(_ variable: String, _ url: String, _ command: String, _ setting: String) async throws {
        let refused = try await call(command, [variable: url])
        expectFailure(refused, setting)
        #expect(!refused.errors.contains("hidden"))
        let flag = "TENANTRY_" + setting.uppercased().replacing(".", with: "_")
        expectFailure(try await call(command, [variable: url, flag: "perhaps"]), setting)
        // Allowed, it comes as far as the name, which nobody has, or to no answer.
        guard url.contains(".invalid") else { return }
        let allowed = try await call(command, [variable: url, flag: "true"])
        #expect(allowed.status == 1 && !allowed.errors.contains(setting), "\(allowed)")
    }

    @Test("a credential's file is read to its first line, and what is none says so")
    func credentialFile() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("credential"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func enqueue(_ text: String?) async throws -> Ended {
            let path = folder.path + "/token"
            if let text { try text.write(toFile: path, atomically: true, encoding: .utf8) }
            return try await call("enqueue account.create --token-file \(path)", ["TENANTRY_AMQP_URL": "amqp://127.0.0.1:1"])
        }
        expectFailure(try await enqueue(nil), "cannot be read")
        expectFailure(try await enqueue(""), "is empty")
        expectFailure(try await enqueue(" \nx"), "is empty")
        expectFailure(try await enqueue(String(repeating: "x", count: 5_000)), "is no credential")
        expectFailure(try await enqueue("key.secret\nmore"), "the payload is empty")
        #expect(try await call("enqueue account.create --token a.b --token-file x").status == 64)
    }

    @Test("an enqueue without a credential says where one comes from")
    func credential() async throws {
        expectFailure(
            try await call("enqueue account.create", ["TENANTRY_AMQP_URL": "amqp://127.0.0.1:1"]), "TENANTRY_OPERATOR_TOKEN")
    }

    /// Every whole number, with a value that is out of its range.
    private static let numbers =
        [
            ("http.port", "70000"), ("worker.batch", "0"), ("worker.buffer_bytes", "1"), ("worker.heartbeat_seconds", "0"),
            ("worker.job_seconds", "0"),
            ("worker.drain_seconds", "0"), ("worker.schemas_per_connection", "0"), ("retry.steps_for_missing_tenant", "-1"),
            ("inbox.retention_hours", "0"), ("dead.retention_days", "0"), ("dead.most", "0"), ("usage.aggregate_seconds", "0"),
            ("usage.idle_hours", "-1"),
            ("tenants.retention_days", "-1"), ("stripe.days_until_due", "0"), ("stripe.timeout_seconds", "0"),
            ("api.port", "70000"), ("api.requests_per_minute", "0"), ("api.connections", "0"), ("api.database_connections", "0"),
            ("webhooks.parallel", "0"), ("webhooks.retention_days", "1"),
        ]
        + ["account", "tenant", "corpus", "conversation", "usage"].flatMap {
            [("worker.lanes.\($0)", "0"), ("partitions.\($0)", "300")]
        }

    private static let others = [
        ("worker.declare_topology", "flase"), ("retry.delays_ms", "1000,x"), ("retry.delays_ms", "0"),
        ("retry.delays_ms", "5000,1000"),
        ("worker.families", "account,cats"), ("log.level", "loud"), ("stripe.url", "api.stripe.com"),
        ("stripe.url", "http://api.stripe.com"), ("stripe.url", "https://user@api.stripe.com"),
        ("api.behind_proxy", "perhaps"), ("api.host", "0.0.0.0"), ("console.read_only", "perhaps"),
        ("webhooks.allow_loopback", "perhaps"),
        ("webhooks.ca_files", "/nowhere.pem"),
    ]

    /// Servers that nobody reaches: a worker reads all its settings before it looks for them.
    private static let nowhere = [
        "TENANTRY_AMQP_URL": "amqp://127.0.0.1:1", "TENANTRY_DATABASE_URL": "postgresql://127.0.0.1:1/d",
    ]

    @Test(
        "a value that makes no sense is an error that names the setting, never the default",
        arguments: numbers + numbers.map { ($0.0, "many") } + others)
    func nonsense(_ key: String, _ value: String) async throws {
        let variable = "TENANTRY_" + key.uppercased().replacing(".", with: "_")
        let command = key.hasPrefix("api.") || key.hasPrefix("console.") ? "api" : "worker"
        let ended = try await call(command, Self.nowhere.merging([variable: value]) { _, new in new })
        #expect(ended.status == 1)
        #expect(
            ended.errors.contains("Error: \(key): ") || ended.errors.contains("there is no family \"cats\""), "\(ended.errors)")
    }

    @Test("config/tenantry.yaml documents every setting that is read, and no other")
    func documented() async throws {
        let file = Program.repository.appending(path: "config/tenantry.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        var path: [String] = []
        var documented: Set<String> = []
        // Settings without a default stand in comments of two words' depth: `# amqp:`, `#   url: …`.
        for line in text.split(separator: "\n") {
            guard let found = line.firstMatch(of: /^(?:# )?( *)([a-z_]+):(?: +[^ ].*)?$/) else { continue }
            let depth = found.1.count / 2
            // At the top there are only mappings: anything else is a sentence with a colon.
            if depth == 0, !line.hasSuffix(":") { continue }
            path = Array(path.prefix(depth)) + [String(found.2)]
            documented.insert(path.joined(separator: "."))
        }
        let known = Set(
            Self.numbers.map(\.0) + Self.others.map(\.0) + [
                "amqp.url", "amqp.insecure", "database.url", "database.insecure", "worker.database_url", "reader.database_url",
                "api.database_url", "api.certificate_file", "api.key_file", "api.cors_origins",
                "http.host", "plans.file",
            ])
        #expect(documented.filter { name in !documented.contains { $0.hasPrefix(name + ".") } } == known)
    }

    @Test("a settings file with a name that nobody reads is refused; with the documented ones it is taken")
    func names() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("settings"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "s.yaml")
        for (text, complaint) in [
            ("worker:\n  btach: 3\n", "worker.btach: there is no such setting"), ("amqp: 3\n", "amqp: must be a mapping"),
            ("operator:\n  token: a.b\n", "operator: there is no such setting"), ("worker: [\n", "is not YAML"),
        ] {
            try text.write(to: file, atomically: true, encoding: .utf8)
            let ended = try await call("topology apply --config \(file.path)", Self.nowhere)
            #expect(ended.status == 1)
            #expect(ended.errors.contains("\(file.path): \(complaint)"), "\(ended.errors)")
        }
        expectFailure(
            try await call("topology apply --config \(folder.path)/none.yaml", Self.nowhere),
            "none.yaml cannot be read: No such file")
        // The one of the project, and one that is empty, go on to the broker.
        try "# nothing yet\n".write(to: file, atomically: true, encoding: .utf8)
        for path in [file.path, Program.repository.appending(path: "config/tenantry.yaml").path] {
            expectFailure(try await call("topology apply --config \(path)", Self.nowhere), "the broker cannot be used")
        }
    }

    @Test("options come before the environment, and the environment before the file")
    func order() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: newSlug("settings"))
        try FileManager.default.createDirectory(at: folder.appending(path: "config"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try "amqp:\n  url: amqp://127.0.0.1:1/file\n".write(
            to: folder.appending(path: "config/tenantry.yaml"), atomically: true, encoding: .utf8)
        #expect(try await call("topology apply", in: folder.path).errors.contains("127.0.0.1:1/file"))
        let environment = ["TENANTRY_AMQP_URL": "amqp://127.0.0.1:1/environment"]
        #expect(try await call("topology apply", environment, in: folder.path).errors.contains("127.0.0.1:1/environment"))
        #expect(
            try await call("topology apply --amqp-url amqp://127.0.0.1:1/option", environment, in: folder.path).errors
                .contains("127.0.0.1:1/option"))
    }
}
