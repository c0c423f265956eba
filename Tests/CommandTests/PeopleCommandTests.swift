internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry admin, tenantry audit and a dead letter with a password")
struct PeopleCommandTests {
    private static let password = "correct horse battery"

    private func person(_ email: String, _ role: String, password: String? = password) -> String {
        let more = password.map { #","password":"\#($0)""# } ?? ""
        return #"{"email":"\#(email)","display_name":"Ada","role":"\#(role)"\#(more)}"#
    }

    @Test("an administrator signs in with a password from standard input, and the credential sends jobs")
    func signIn() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("people")
        let (email, token) = ("ada@\(account).ch", try await instance.makeAccount(account))
        #expect(
            try await instance.ask("admin.create", person(email, "account_admin"), token: token)["status"] as? String
                == "succeeded")
        func signIn(_ email: String, _ input: String, _ more: String...) async throws -> Ended {
            try await Program(
                Program.tenantry, ["admin", "sign-in", "--email", email] + more, input: Data(input.utf8),
                environment: instance.environment
            ).end()
        }
        for input in [Self.password, Self.password + "\r\nmore\n"] {
            let ended = try await signIn(email.uppercased(), input, "--account", account)
            #expect(ended.status == 0 && ended.errors.isEmpty, "\(ended)")
            #expect(ended.output.wholeMatch(of: /adm_[\w-]+\.[\w-]+\n/) != nil, "\(ended)")
            let bearer = ended.output.trimmingCharacters(in: .newlines)
            let answer = try await instance.ask(
                "tenant.create", #"{"slug":"\#(newSlug("by"))","display_name":"b"}"#, token: bearer)
            #expect(answer["status"] as? String == "succeeded", "\(answer)")
        }
        // Nobody learns from the answer which of them it was.
        let wrong = [
            try await signIn(email, "wrong horse\n"), try await signIn("nobody@\(account).ch", Self.password),
            try await signIn(email, Self.password, "--account", "elsewhere"),
        ]
        for ended in wrong {
            #expect(ended.status == 1 && ended.output.isEmpty)
            #expect(ended.errors == "Error: the address or the password is wrong\n")
        }
        #expect(try await signIn(email, "").errors == "Error: no password came on standard input\n")
        #expect(try await instance.tenantry("admin", "sign-in").status == 64)

        try await expectSeparated(email, account, token, instance) {
            try await signIn(email, Self.password + "\n", "--tenant", $0)
        }
    }

    /// The same address and password for an account and a tenant of it.
    private func expectSeparated(
        _ email: String, _ account: String, _ token: String, _ instance: Instance, _ signIn: (String) async throws -> Ended
    ) async throws {
        let tenant = "\(account)-t"
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(tenant)","display_name":"t"}"#, token: token)
        let made = try await instance.ask("admin.create", person(email, "tenant_admin"), tenant: tenant, token: token)
        #expect(made["status"] as? String == "succeeded", "\(made)")
        let both = try await instance.tenantry(
            "admin", "sign-in", "--email", email, input: Self.password)
        #expect(both.status == 1 && both.errors.contains("name one with --account or --tenant"), "\(both)")
        #expect(try await signIn(tenant).status == 0)
        let whole = try await instance.tenantry(
            "admin", "sign-in", "--email", email, "--account", account, input: Self.password)
        #expect(whole.status == 0, "\(whole)")
        let more = #"{"slug":"\#(newSlug("by"))","display_name":"b"}"#
        let opened = try await instance.ask("tenant.create", more, token: whole.output.trimmingCharacters(in: .newlines))
        #expect(opened["status"] as? String == "succeeded", "the account's administrator, not the tenant's: \(opened)")

        let rows = try await instance.tenantry("admin", "list", "--account", account, "--format", "json").rows()
        #expect(rows.map { $0["role"] as? String } == ["account_admin", "tenant_admin"])
        #expect(rows.map { $0["tenant"] as? String } == [nil, tenant])
        #expect(rows.allSatisfy { $0["email"] as? String == email && $0["has_password"] as? Bool == true })
        let table = try await instance.tenantry("admin", "list", "--account", account)
        #expect(table.output.hasPrefix("email ") && !table.output.contains("scrypt"))
    }

    /// What a terminal shows of a call into which a person types a line once it asks.
    private static let terminal = """
        import os, pty, sys
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.argv[2], sys.argv[2:])
        shown, typed = b"", False
        while True:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
            if b"Password: " in shown and not typed:
                typed = True
                os.write(terminal, sys.argv[1].encode() + b"\\n")
        sys.stdout.buffer.write(shown)
        """

    @Test("at a terminal the password is asked for, and not shown")
    func terminal() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("people")
        let token = try await instance.makeAccount(account)
        _ = try await instance.ask("admin.create", person("ada@x.ch", "account_admin"), token: token)
        let call = [Program.tenantry, "admin", "sign-in", "--email", "ada@x.ch", "--account", account]
        let ended = try await Program(
            try await Program.python(), ["-c", Self.terminal, Self.password] + call, environment: instance.environment
        ).end()
        #expect(ended.output.hasPrefix("Password: \r\nadm_"), "\(ended)")
        #expect(!ended.output.contains(Self.password))
    }

    @Test("the audit log is listed, latest first, by account, tenant and kind")
    func audit() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("audit")
        let token = try await instance.makeAccount(account)
        let tenant = "\(account)-t"
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(tenant)","display_name":"t"}"#, token: token, id: "opening")
        _ = try await instance.ask("admin.create", person("ada@x.ch", "tenant_admin"), tenant: tenant, token: token)
        func list(_ more: String...) async throws -> [[String: Any]] {
            try await Program(
                Program.tenantry, ["audit", "list", "--account", account, "--format", "json"] + more,
                environment: instance.environment
            ).end().rows()
        }
        let rows = try await list()
        #expect(rows.map { $0["kind"] as? String } == ["admin.create", "tenant.create", "account.create"])
        let opening = try #require(try await list("--kind", "tenant.create").first)
        #expect(opening["job_id"] as? String == "opening" && opening["tenant"] as? String == tenant)
        #expect(opening["role"] as? String == "account" && opening["actor"] as? String == "account")
        #expect(opening["credential"] as? String == token.split(separator: ".").first.map { String($0) })
        let details = try #require(opening["details"] as? [String: [String: Any]])
        #expect(details["payload"]?["display_name"] as? String == "t" && details["result"]?["tenant"] as? String == tenant)
        #expect(try await list("--tenant", tenant).count == 2)
        #expect(try await list("--limit", "1").map { $0["kind"] as? String } == ["admin.create"])
        let table = try await instance.tenantry("audit", "list", "--account", account)
        #expect(table.output.hasPrefix("at ") && !table.output.contains("details"))
        #expect(!(try await instance.tenantry("audit", "list", "--format", "json").output.contains(Self.password)))
        #expect(try await instance.tenantry("audit", "list", "--kind", "no.such").status == 64)
        for kind in ["operator.issue", "account.grant_stripe", "tenant.export"] {
            #expect(try await instance.tenantry("audit", "list", "--kind", kind).status == 0, "\(kind)")
        }
    }

    @Test("no password is in a dead letter")
    func deadLetter() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount(newSlug("dead"))
        let twice = person("ada@x.ch", "tenant_admin")
        #expect(try fleet.ask("admin.create", twice, token: token, id: "whole").error != nil)
        #expect(try fleet.ask("admin.create", String(twice.dropLast()), token: token, id: "broken").error != nil)
        for (id, payload) in [("whole", "x-tenantry-redacted: /password\n"), ("broken", "x-tenantry-redacted: \n")] {
            let shown = try await Program(
                Program.tenantry, ["dead", "show", id], environment: ["TENANTRY_AMQP_URL": fleet.brokerURL]
            ).end()
            #expect(shown.status == 0 && shown.output.contains(payload), "\(shown.output)")
            #expect(!shown.output.contains(Self.password))
        }
        await fleet.stop()
    }
}
